"""The types of events, as clients name them."""

import enum

import strawberry


@strawberry.enum(description="What has happened. An update marks as deleted what can be restored: that is DELETED.")
class EventType(enum.StrEnum):
    """Of `outbox_event.type`."""

    ATTRIBUTE_CREATED = "attribute.created"
    ATTRIBUTE_DELETED = "attribute.deleted"
    ATTRIBUTE_UPDATED = "attribute.updated"
    ATTRIBUTE_VALUE_CREATED = "attribute_value.created"
    ATTRIBUTE_VALUE_DELETED = "attribute_value.deleted"
    ATTRIBUTE_VALUE_UPDATED = "attribute_value.updated"
    CATEGORY_CREATED = "category.created"
    CATEGORY_DELETED = "category.deleted"
    CATEGORY_UPDATED = "category.updated"
    CHANNEL_CREATED = "channel.created"
    CHANNEL_DELETED = "channel.deleted"
    CHANNEL_UPDATED = "channel.updated"
    COLLECTION_CREATED = "collection.created"
    COLLECTION_DELETED = "collection.deleted"
    COLLECTION_UPDATED = "collection.updated"
    MEDIA_CREATED = "media.created"
    MEDIA_DELETED = "media.deleted"
    MEDIA_UPDATED = "media.updated"
    PRICE_CHANGED = "price.changed"
    PRODUCT_CREATED = "product.created"
    PRODUCT_DELETED = "product.deleted"
    PRODUCT_UPDATED = "product.updated"
    PRODUCT_TYPE_CREATED = "product_type.created"
    PRODUCT_TYPE_DELETED = "product_type.deleted"
    PRODUCT_TYPE_UPDATED = "product_type.updated"
    REVIEW_CREATED = "review.created"
    REVIEW_DELETED = "review.deleted"
    REVIEW_UPDATED = "review.updated"
    STOCK_CHANGED = "stock.changed"
    VARIANT_CREATED = "variant.created"
    VARIANT_DELETED = "variant.deleted"
    VARIANT_UPDATED = "variant.updated"
    WAREHOUSE_CREATED = "warehouse.created"
    WAREHOUSE_DELETED = "warehouse.deleted"
    WAREHOUSE_UPDATED = "warehouse.updated"
