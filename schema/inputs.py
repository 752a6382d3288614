"""What clients write: inputs of mutations, each field named after its column."""

import datetime as dt
import enum
import inspect
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from core.ids import decode_id_of
from resolvers.arranging import Assignment
from resolvers.stocking import Count
from resolvers.translating import Text
from schema.enums import AttributeKind, MediaKind, ProductStatus
from schema.scalars import BigInt

_REFERENCES = {
    "attribute_id": "Attribute",
    "category_id": "Category",
    "channel_id": "Channel",
    "parent_id": "Category",
    "product_id": "Product",
    "product_type_id": "ProductType",
    "variant_id": "Variant",
}
"""Columns that refer to another row, and the type of the ids that clients give for them."""

_NOBODY = uuid.UUID(int=0)
"""An id that no row has; the foreign key then refuses it, as it does any other that the shop has not."""


def values_of(given: object) -> dict[str, Any]:
    """Return the columns that an input names, with their values; what the client left out is left out."""
    values = {}
    for name in inspect.get_annotations(type(given)):
        value = getattr(given, name)
        if value is not UNSET:
            values[name] = _value(name, value)
    return values


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _REFERENCES:
        return decode_id_of(_REFERENCES[name], value) or _NOBODY
    if isinstance(value, CollectionRuleInput):
        return value.as_json()
    return value.value if isinstance(value, enum.Enum) else value


def changes_of(made: type[Any], *fixed: str) -> type[Any]:
    """Make the input of an update from that of a creation: every field optional, those that never change left out."""
    fields = {name: kind | None for name, kind in inspect.get_annotations(made).items() if name not in fixed}
    body: dict[str, Any] = {"__annotations__": fields, **dict.fromkeys(fields, UNSET)}
    name = made.__name__.replace("Create", "Update")
    return strawberry.input(type(name, (), body), description="What is left out stays as it is; null empties.")


@strawberry.input
class ChannelCreateInput:
    """Of `channelCreate`."""

    name: str
    currency: str
    slug: str | None = UNSET
    default_country: str | None = UNSET
    prices_include_tax: bool | None = UNSET
    is_default: bool | None = UNSET


@strawberry.input
class ProductTypeCreateInput:
    """Of `productTypeCreate`."""

    name: str
    slug: str | None = UNSET


@strawberry.input
class AttributeCreateInput:
    """Of `attributeCreate`."""

    name: str
    kind: AttributeKind
    slug: str | None = UNSET
    unit: str | None = UNSET
    is_filterable: bool | None = UNSET
    is_variant_selection: bool | None = UNSET
    position: int | None = UNSET


@strawberry.input
class AttributeValueCreateInput:
    """Of `attributeValueCreate`."""

    attribute_id: strawberry.ID
    name: str
    slug: str | None = UNSET
    color: str | None = UNSET
    position: int | None = UNSET


@strawberry.input
class CategoryCreateInput:
    """Of `categoryCreate`."""

    name: str
    parent_id: strawberry.ID | None = UNSET
    slug: str | None = UNSET
    description: str | None = UNSET
    position: int | None = UNSET
    seo_title: str | None = UNSET
    seo_description: str | None = UNSET


@strawberry.input(description="Products that meet all that is given; prices in minor units of the default channel.")
class CollectionRuleInput:
    """See `models.collections`."""

    category: strawberry.ID | None = None
    tags: list[str] | None = None
    vendor: str | None = None
    price_from_minor: BigInt | None = None
    price_to_minor: BigInt | None = None
    rating_from: float | None = strawberry.field(default=None, description="Average rating of this or better, 1 to 5.")

    def as_json(self) -> Mapping[str, Any]:
        """Return the rule as its column holds it."""
        category = None if self.category is None else str(decode_id_of("Category", self.category) or _NOBODY)
        rule = {
            "category": category,
            "tags": self.tags,
            "vendor": self.vendor,
            "priceFromMinor": self.price_from_minor,
            "priceToMinor": self.price_to_minor,
            "ratingFrom": self.rating_from,
        }
        return {name: value for name, value in rule.items() if value is not None}


@strawberry.input
class CollectionCreateInput:
    """Of `collectionCreate`."""

    name: str
    slug: str | None = UNSET
    description: str | None = UNSET
    rule: CollectionRuleInput | None = strawberry.field(
        default=UNSET, description="Who is in; without a rule, products are added by hand."
    )
    is_published: bool | None = UNSET
    seo_title: str | None = UNSET
    seo_description: str | None = UNSET


@strawberry.input
class ProductCreateInput:
    """Of `productCreate`."""

    name: str
    slug: str | None = strawberry.field(default=UNSET, description="Made from the name where it is left out.")
    description: str | None = UNSET
    status: ProductStatus | None = strawberry.field(default=UNSET, description="DRAFT where it is left out.")
    product_type_id: strawberry.ID | None = UNSET
    category_id: strawberry.ID | None = UNSET
    vendor: str | None = UNSET
    tags: list[str] | None = UNSET
    seo_title: str | None = UNSET
    seo_description: str | None = UNSET
    external_ref: str | None = UNSET


@strawberry.input
class VariantCreateInput:
    """Of `variantCreate`."""

    product_id: strawberry.ID
    sku: str | None = UNSET
    name: str | None = UNSET
    barcode: str | None = UNSET
    weight_g: int | None = UNSET
    position: int | None = UNSET
    track_inventory: bool | None = UNSET
    backorder_limit: int | None = UNSET
    external_ref: str | None = UNSET


@strawberry.input
class ListingCreateInput:
    """Of `listingCreate`; amounts are major units of the channel's currency, as text."""

    channel_id: strawberry.ID
    variant_id: strawberry.ID
    price: str
    compare_at_price: str | None = UNSET
    cost: str | None = UNSET
    is_published: bool | None = UNSET
    available_from: dt.datetime | None = UNSET


@strawberry.input
class MediaCreateInput:
    """Of `mediaCreate`."""

    product_id: strawberry.ID
    url: str
    variant_id: strawberry.ID | None = UNSET
    kind: MediaKind | None = UNSET
    alt: str | None = UNSET
    position: int | None = UNSET


@strawberry.input
class WarehouseCreateInput:
    """Of `warehouseCreate`."""

    name: str
    slug: str | None = UNSET
    country: str | None = UNSET
    is_active: bool | None = UNSET


@strawberry.input
class ReviewCreateInput:
    """Of `reviewCreate`."""

    product_id: strawberry.ID
    rating: int
    author_name: str
    title: str | None = UNSET
    body: str | None = UNSET


@strawberry.input(description="What a product or variant has of an attribute: the field that suits its kind.")
class AssignedAttributeInput:
    """See `resolvers.arranging.Assignment`."""

    attribute_id: strawberry.ID
    value_ids: list[strawberry.ID] | None = None
    text: str | None = None
    number: Decimal | None = None
    boolean: bool | None = None
    date: dt.date | None = None

    def assignment(self) -> Assignment:
        """Return what is meant."""
        return Assignment(self.attribute_id, self.value_ids, self.text, self.number, self.boolean, self.date)


@strawberry.input(description="A text in another locale; null deletes it.")
class TextInput:
    """Of `translationsSet`."""

    field: str = strawberry.field(description="Such as name or seoTitle.")
    value: str | None

    def text(self) -> Text:
        """Return what is meant."""
        return Text(self.field, self.value)


@strawberry.input(description="What lies in a warehouse.")
class StockSetInput:
    """Of `stockSet`."""

    variant_id: strawberry.ID
    warehouse_id: strawberry.ID
    on_hand: int
    safety: int | None = strawberry.field(default=None, description="Pieces that are not sold; as before if left out.")

    def count(self) -> Count:
        """Return what is meant."""
        return Count(self.variant_id, self.warehouse_id, self.on_hand, self.safety)


@strawberry.input(description="A count of one variant in one warehouse.")
class StockChangeInput:
    """Of `stockBulkSet`."""

    input: StockSetInput
    expected_version: int = strawberry.field(description="As of `stockSet`.")


ChannelUpdateInput = changes_of(ChannelCreateInput)
ProductTypeUpdateInput = changes_of(ProductTypeCreateInput)
AttributeUpdateInput = changes_of(AttributeCreateInput, "kind")
AttributeValueUpdateInput = changes_of(AttributeValueCreateInput, "attribute_id")
CategoryUpdateInput = changes_of(CategoryCreateInput)
CollectionUpdateInput = changes_of(CollectionCreateInput)
ProductUpdateInput = changes_of(ProductCreateInput)
VariantUpdateInput = changes_of(VariantCreateInput, "product_id")
ListingUpdateInput = changes_of(ListingCreateInput, "channel_id", "variant_id")
MediaUpdateInput = changes_of(MediaCreateInput, "product_id")
WarehouseUpdateInput = changes_of(WarehouseCreateInput)
