"""Products and how they are arranged: variants, media, categories, collections."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from core.errors import BadUserInput
from engine.loading import Argument, loads
from loaders import catalogue
from models import categories as category_rows
from models import collections as collection_rows
from models import products as rows
from models.product_filters import ProductSort
from resolvers.context import Permission
from schema.attributes import AssignedAttribute, ProductType
from schema.connections import PAGE_ARGUMENTS, Connection, paged
from schema.cost import PAGED, at_most, costs
from schema.enums import CollectionKind, MediaKind, ProductStatus, RelationKind
from schema.lifetimes import STOCK, lasts
from schema.lists import loads_list
from schema.policies import guarded
from schema.reviews import Review
from schema.scalars import Money
from schema.selling import Availability, Listing, PriceRange, StockLevel
from schema.translations import Translation, translations
from schema.views import Node, view_of


def _translations() -> Any:
    return guarded(translations(), Permission.CATALOGUE_READ)


@view_of(rows.Media)
class Media(Node):
    """An image or video."""

    kind: MediaKind
    url: str
    alt: str
    position: int


@view_of(rows.Variant)
class Variant(Node):
    """What is actually bought: one size and colour of a product."""

    sku: str | None
    name: str
    barcode: str | None
    weight_g: int | None
    position: int
    track_inventory: bool
    external_ref: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    product: Annotated["Product", strawberry.lazy("schema.products")] = loads(catalogue.product, key="product_id")
    attributes: list[AssignedAttribute] = loads_list(catalogue.attributes_of_variant, 20, 100)
    media: list[Media] = loads_list(catalogue.media_of_variant, 10, 100)
    price: Money | None = loads(
        catalogue.price_of_variant, description="In the channel; null where the variant is not sold there."
    )
    compare_at_price: Money | None = loads(catalogue.compare_at_price_of_variant, description="What it cost before.")
    availability: Availability | None = lasts(STOCK)(loads(catalogue.availability_of_variant))
    listings: list[Listing] | None = guarded(
        loads_list(catalogue.listings_of_variant, 20, 100, description="Prices in all channels."),
        Permission.CATALOGUE_READ,
    )
    stock_levels: list[StockLevel] | None = guarded(
        loads_list(catalogue.stock_levels_of_variant, 20, 100, description="Stock by warehouse."),
        Permission.INVENTORY_READ,
    )
    translations: list[Translation] | None = _translations()


@view_of(rows.Product)
class Product(Node):
    """Something the shop sells, in one or more variants."""

    slug: str
    name: str
    description: str = strawberry.field(description="HTML as the shop's staff wrote it; sanitise before showing it.")
    vendor: str | None
    tags: list[str]
    status: ProductStatus
    rating_average: float | None
    rating_count: int
    seo_title: str | None
    seo_description: str | None
    external_ref: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    product_type: ProductType | None = loads(catalogue.product_type, key="product_type_id")
    category: Annotated["Category", strawberry.lazy("schema.products")] | None = loads(
        catalogue.category, key="category_id"
    )
    collections: list[Annotated["Collection", strawberry.lazy("schema.products")]] = loads_list(
        catalogue.collections_of_product, 10, 50
    )
    attributes: list[AssignedAttribute] = loads_list(catalogue.attributes_of_product, 20, 100)
    variants: list[Variant] = loads_list(catalogue.variants_of_product, 10, 100)
    media: list[Media] = loads_list(catalogue.media_of_product, 10, 100)
    price_range: PriceRange | None = loads(
        catalogue.price_range_of_product, description="In the channel; null where no variant is sold there."
    )
    availability: Availability | None = lasts(STOCK)(loads(catalogue.availability_of_product))
    related: list[Annotated["Product", strawberry.lazy("schema.products")]] = loads_list(
        catalogue.related_products,
        8,
        50,
        arguments={"kind": Argument(RelationKind, RelationKind.RELATED)},
        description="Products shown beside this one.",
    )
    reviews: Connection[Review] = costs(*PAGED)(
        loads(
            catalogue.reviews_of_product,
            arguments=PAGE_ARGUMENTS,
            prepare=paged("product.reviews"),
            description="Approved reviews, newest first.",
        )
    )
    translations: list[Translation] | None = _translations()


def _product_order(arguments: dict[str, Any]) -> str:
    sort: ProductSort = arguments.pop("sort")
    if sort is ProductSort.RELEVANCE:
        raise BadUserInput("RELEVANCE sorts what a text search finds; search by the field `products`.", argument="sort")
    return str(sort.value)


@view_of(category_rows.Category)
class Category(Node):
    """A node of the category tree."""

    slug: str
    name: str
    description: str
    position: int
    seo_title: str | None
    seo_description: str | None
    version: int
    parent: Annotated["Category", strawberry.lazy("schema.products")] | None = loads(
        catalogue.category, key="parent_id"
    )
    ancestors: list[Annotated["Category", strawberry.lazy("schema.products")]] = costs(
        *at_most(category_rows.DEEPEST_CATEGORY - 1)
    )(loads(catalogue.ancestors_of_category, description="From the top of the tree down, without the category itself."))
    children: list[Annotated["Category", strawberry.lazy("schema.products")]] = loads_list(
        catalogue.children_of_category, 20, 100
    )
    products: Connection[Product] = costs(*PAGED)(
        loads(
            catalogue.products_of_category,
            arguments={**PAGE_ARGUMENTS, "sort": Argument(ProductSort, ProductSort.NEWEST)},
            prepare=paged("category.products", order=_product_order),
            description="Products in and below the category; the root field `products` filters and searches.",
        )
    )
    translations: list[Translation] | None = _translations()


@view_of(collection_rows.Collection)
class Collection(Node):
    """Products that are shown together."""

    slug: str
    name: str
    description: str
    kind: CollectionKind
    is_published: bool
    seo_title: str | None
    seo_description: str | None
    version: int
    products: Connection[Product] = costs(*PAGED)(
        loads(
            catalogue.products_of_collection,
            arguments=PAGE_ARGUMENTS,
            prepare=paged("collection.products"),
            description="In the collection's own order.",
        )
    )
    translations: list[Translation] | None = _translations()
