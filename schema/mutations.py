"""What can be changed: the root fields of mutations."""

from typing import Any

import strawberry
from strawberry.types import Info

from resolvers import arranging, editing, stocking, writing
from resolvers.blocks import BulkErrorPolicy, alone, together
from resolvers.context import Context, Permission
from resolvers.translating import translate
from resolvers.writing import Change
from schema import inputs, payloads
from schema.enums import RelationKind, ReviewStatus
from schema.mutating import (
    ErrorPolicy,
    ExpectedVersion,
    OptionalVersion,
    bounded,
    creates,
    creates_many,
    deletes,
    deletes_many,
    in_bulk,
    reorders,
    restores,
    returning,
    updates,
    updates_many,
)
from schema.policies import Open

_STOCK = Permission.INVENTORY_WRITE
_RESTORABLE = " It can be restored."
_WITH_VARIANTS = " Its variants come and go with it."


@strawberry.type(description="What can be changed. Each mutation is applied as a whole, or refused and not at all.")
class Mutation:
    """Each field calls one resolver function."""

    channel_create = creates(editing.channels, inputs.ChannelCreateInput, payloads.ChannelPayload)
    channel_update = updates(editing.channels, inputs.ChannelUpdateInput, payloads.ChannelPayload)
    channel_delete = deletes(editing.channels)

    product_type_create = creates(editing.product_types, inputs.ProductTypeCreateInput, payloads.ProductTypePayload)
    product_type_update = updates(editing.product_types, inputs.ProductTypeUpdateInput, payloads.ProductTypePayload)
    product_type_delete = deletes(editing.product_types)

    attribute_create = creates(editing.attributes, inputs.AttributeCreateInput, payloads.AttributePayload)
    attribute_update = updates(editing.attributes, inputs.AttributeUpdateInput, payloads.AttributePayload)
    attribute_delete = deletes(
        editing.attributes, note=" Its values go with it, also from the products that have them."
    )
    attribute_value_create = creates(
        editing.attribute_values, inputs.AttributeValueCreateInput, payloads.AttributeValuePayload
    )
    attribute_value_update = updates(
        editing.attribute_values, inputs.AttributeValueUpdateInput, payloads.AttributeValuePayload
    )
    attribute_value_delete = deletes(editing.attribute_values)
    attribute_value_bulk_create = creates_many(
        editing.attribute_values, inputs.AttributeValueCreateInput, payloads.AttributeValueBulkPayload
    )
    attribute_value_bulk_update = updates_many(
        editing.attribute_values, inputs.AttributeValueUpdateInput, payloads.AttributeValueBulkPayload
    )
    attribute_value_bulk_delete = deletes_many(editing.attribute_values)
    attribute_value_reorder = reorders(arranging.VALUES, payloads.AttributePayload, "Order the values of an attribute.")

    category_create = creates(editing.categories, inputs.CategoryCreateInput, payloads.CategoryPayload)
    category_update = updates(editing.categories, inputs.CategoryUpdateInput, payloads.CategoryPayload)
    category_delete = deletes(editing.categories, note=" It must have no children; its products stay.")
    category_bulk_create = creates_many(editing.categories, inputs.CategoryCreateInput, payloads.CategoryBulkPayload)
    category_bulk_update = updates_many(editing.categories, inputs.CategoryUpdateInput, payloads.CategoryBulkPayload)
    category_bulk_delete = deletes_many(editing.categories)
    category_reorder = reorders(
        arranging.CATEGORIES,
        payloads.CategoryPayload,
        "Order the children of a category, or the top of the tree where no id is given.",
    )

    collection_create = creates(editing.collections, inputs.CollectionCreateInput, payloads.CollectionPayload)
    collection_update = updates(editing.collections, inputs.CollectionUpdateInput, payloads.CollectionPayload)
    collection_delete = deletes(editing.collections)
    collection_bulk_create = creates_many(
        editing.collections, inputs.CollectionCreateInput, payloads.CollectionBulkPayload
    )
    collection_bulk_update = updates_many(
        editing.collections, inputs.CollectionUpdateInput, payloads.CollectionBulkPayload
    )
    collection_bulk_delete = deletes_many(editing.collections)
    collection_products_reorder = reorders(
        arranging.COLLECTION, payloads.CollectionPayload, "Order the products of a hand-picked collection."
    )

    product_create = creates(editing.products, inputs.ProductCreateInput, payloads.ProductPayload)
    product_update = updates(editing.products, inputs.ProductUpdateInput, payloads.ProductPayload)
    product_delete = deletes(editing.products, note=_WITH_VARIANTS + _RESTORABLE)
    product_restore = restores(editing.products, payloads.ProductPayload, _WITH_VARIANTS)
    product_bulk_create = creates_many(editing.products, inputs.ProductCreateInput, payloads.ProductBulkPayload)
    product_bulk_update = updates_many(editing.products, inputs.ProductUpdateInput, payloads.ProductBulkPayload)
    product_bulk_delete = deletes_many(editing.products)

    variant_create = creates(editing.variants, inputs.VariantCreateInput, payloads.VariantPayload)
    variant_update = updates(editing.variants, inputs.VariantUpdateInput, payloads.VariantPayload)
    variant_delete = deletes(editing.variants, note=_RESTORABLE)
    variant_restore = restores(editing.variants, payloads.VariantPayload)
    variant_reorder = reorders(arranging.VARIANTS, payloads.ProductPayload, "Order the variants of a product.")
    variant_bulk_create = creates_many(editing.variants, inputs.VariantCreateInput, payloads.VariantBulkPayload)
    variant_bulk_update = updates_many(editing.variants, inputs.VariantUpdateInput, payloads.VariantBulkPayload)
    variant_bulk_delete = deletes_many(editing.variants)

    listing_create = creates(editing.listings, inputs.ListingCreateInput, payloads.ListingPayload)
    listing_update = updates(editing.listings, inputs.ListingUpdateInput, payloads.ListingPayload, must_know=True)
    listing_delete = deletes(editing.listings)
    listing_bulk_create = creates_many(editing.listings, inputs.ListingCreateInput, payloads.ListingBulkPayload)
    listing_bulk_update = updates_many(
        editing.listings, inputs.ListingUpdateInput, payloads.ListingBulkPayload, must_know=True
    )
    listing_bulk_delete = deletes_many(editing.listings)

    media_create = creates(editing.media, inputs.MediaCreateInput, payloads.MediaPayload)
    media_update = updates(editing.media, inputs.MediaUpdateInput, payloads.MediaPayload)
    media_delete = deletes(editing.media)
    media_bulk_create = creates_many(editing.media, inputs.MediaCreateInput, payloads.MediaBulkPayload)
    media_bulk_update = updates_many(editing.media, inputs.MediaUpdateInput, payloads.MediaBulkPayload)
    media_bulk_delete = deletes_many(editing.media)
    media_reorder = reorders(arranging.MEDIA, payloads.ProductPayload, "Order the media of a product.")

    warehouse_create = creates(
        editing.warehouses, inputs.WarehouseCreateInput, payloads.WarehousePayload, policy=_STOCK
    )
    warehouse_update = updates(
        editing.warehouses, inputs.WarehouseUpdateInput, payloads.WarehousePayload, policy=_STOCK
    )
    warehouse_delete = deletes(editing.warehouses, policy=_STOCK)

    review_delete = deletes(editing.reviews, policy=Permission.REVIEWS_MODERATE)

    @returning(payloads.ProductPayload, Permission.CATALOGUE_WRITE, "Put a product away; shoppers no longer see it.")
    async def product_archive(
        self, info: Info[Context, None], id: strawberry.ID, expected_version: OptionalVersion = None
    ) -> Any:
        return await writing.update(
            info.context, editing.products, Change(id, {"status": "ARCHIVED"}, expected_version)
        )

    @returning(
        payloads.ProductPayload,
        Permission.CATALOGUE_WRITE,
        "Set the products that are shown beside a product, in order.",
    )
    async def related_products_set(
        self,
        info: Info[Context, None],
        id: strawberry.ID,
        product_ids: list[strawberry.ID],
        kind: RelationKind = RelationKind.RELATED,
    ) -> Any:
        return await arranging.relate(info.context, id, kind.value, product_ids)

    @returning(
        payloads.CollectionPayload, Permission.CATALOGUE_WRITE, "Put products at the end of a hand-picked collection."
    )
    async def collection_products_add(
        self, info: Info[Context, None], id: strawberry.ID, product_ids: list[strawberry.ID]
    ) -> Any:
        return await arranging.add_to_collection(info.context, id, product_ids)

    @returning(payloads.CollectionPayload, Permission.CATALOGUE_WRITE, "Take products out of a hand-picked collection.")
    async def collection_products_remove(
        self, info: Info[Context, None], id: strawberry.ID, product_ids: list[strawberry.ID]
    ) -> Any:
        return await arranging.remove_from_collection(info.context, id, product_ids)

    @returning(payloads.ChannelPayload, Permission.CATALOGUE_WRITE, "Set the warehouses that a channel sells from.")
    async def channel_warehouses_set(
        self, info: Info[Context, None], id: strawberry.ID, warehouse_ids: list[strawberry.ID]
    ) -> Any:
        return await arranging.set_warehouses_of_channel(info.context, id, warehouse_ids)

    @returning(
        payloads.ProductTypePayload, Permission.CATALOGUE_WRITE, "Set the attributes of a product type, in order."
    )
    async def product_type_attributes_set(
        self, info: Info[Context, None], id: strawberry.ID, attribute_ids: list[strawberry.ID]
    ) -> Any:
        return await arranging.set_attributes_of_type(info.context, id, attribute_ids)

    @returning(payloads.ProductPayload, Permission.CATALOGUE_WRITE, "Set what a product has of the attributes named.")
    async def product_attributes_set(
        self, info: Info[Context, None], id: strawberry.ID, attributes: list[inputs.AssignedAttributeInput]
    ) -> Any:
        return await arranging.assign(info.context, "Product", id, [each.assignment() for each in attributes])

    @returning(payloads.VariantPayload, Permission.CATALOGUE_WRITE, "Set what a variant has of the attributes named.")
    async def variant_attributes_set(
        self, info: Info[Context, None], id: strawberry.ID, attributes: list[inputs.AssignedAttributeInput]
    ) -> Any:
        return await arranging.assign(info.context, "Variant", id, [each.assignment() for each in attributes])

    @returning(payloads.TranslationsPayload, Permission.CATALOGUE_WRITE, "Write texts of an object in another locale.")
    async def translations_set(
        self, info: Info[Context, None], id: strawberry.ID, locale: str, texts: list[inputs.TextInput]
    ) -> Any:
        return await translate(info.context, id, locale, [each.text() for each in texts])

    @returning(payloads.ReviewPayload, Open.CUSTOMERS, "Review a product; it shows once approved.")
    async def review_create(self, info: Info[Context, None], input: inputs.ReviewCreateInput) -> Any:
        values = {**inputs.values_of(input), "author_subject": info.context.actor.subject, "status": "PENDING"}
        return await writing.create(info.context, editing.reviews, values)

    @returning(payloads.ReviewPayload, Permission.REVIEWS_MODERATE, "Approve or reject a review.")
    async def review_moderate(self, info: Info[Context, None], id: strawberry.ID, status: ReviewStatus) -> Any:
        return await writing.update(info.context, editing.reviews, Change(id, {"status": status.value}))

    @in_bulk("ids")
    @returning(payloads.ReviewBulkPayload, Permission.REVIEWS_MODERATE, "Approve or reject many reviews.")
    async def review_bulk_moderate(
        self,
        info: Info[Context, None],
        ids: list[strawberry.ID],
        status: ReviewStatus,
        error_policy: ErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING,
    ) -> Any:
        values = {"status": status.value}
        works = [writing.changing(info.context, editing.reviews, Change(each, values)) for each in bounded(ids, "ids")]
        return payloads.Bulk(await together(info.context, works, error_policy, argument="ids"))

    @returning(
        payloads.VariantPayload,
        _STOCK,
        "Set what a warehouse has of a variant; a version of 0 means that it has no row yet.",
    )
    async def stock_set(
        self, info: Info[Context, None], input: inputs.StockSetInput, expected_version: ExpectedVersion
    ) -> Any:
        return await alone(info.context, stocking.counting(info.context, input.count(), expected_version))

    @in_bulk("changes")
    @returning(payloads.VariantBulkPayload, _STOCK, "Set what warehouses have of up to 250 variants.")
    async def stock_bulk_set(
        self,
        info: Info[Context, None],
        changes: list[inputs.StockChangeInput],
        error_policy: ErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING,
    ) -> Any:
        works = [
            stocking.counting(info.context, each.input.count(), each.expected_version)
            for each in bounded(changes, "changes")
        ]
        return payloads.Bulk(await together(info.context, works, error_policy, argument="changes"))
