"""What can be read: the root fields of queries."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from core.errors import BadUserInput
from engine.loading import root_key
from loaders.carrying import Carried
from models import attributes as attribute_rows
from models import catalogue as rows
from models import collections as collection_rows
from models import inventory as inventory_rows
from models.base import Entity, Statement
from models.product_filters import ProductSort
from models.scopes import Scope, Shape
from resolvers import catalogue, nodes
from resolvers.context import Context, Permission
from resolvers.editing import MOST_CHANNELS
from resolvers.scopes import scope_of
from schema.attributes import Attribute, ProductType
from schema.connections import Connection, paging
from schema.cost import PAGED, at_most, costs, one_for_each, sliced
from schema.enums import ReviewStatus
from schema.facets import ProductSearchConnection
from schema.filters import ProductFilterInput, product_filter
from schema.lifetimes import DETAILS, LISTS, lasts
from schema.lists import bounded
from schema.policies import Open, Policy, field
from schema.products import Category, Collection, Product, Variant
from schema.reviews import Review
from schema.selling import Warehouse
from schema.shops import Channel, Shop, shop_of
from schema.views import Node

ChannelArgument = Annotated[
    str | None, strawberry.argument(description="Slug of the channel whose prices and stock show; the default one.")
]
LocaleArgument = Annotated[
    str | None, strawberry.argument(description="Tag such as `de` or `pt-BR`; the shop's own texts by default.")
]


Lookups = Mapping[str, Callable[[Shape], Statement]]

_PRODUCTS: Lookups = {"slug": rows.product_by_slug, "externalRef": rows.product_by_external_ref}
_VARIANTS: Lookups = {"sku": rows.variant_by_sku}
_CATEGORIES: Lookups = {"slug": rows.category_by_slug}
_COLLECTIONS: Lookups = {"slug": rows.collection_by_slug}


async def _see(info: Info[Context, None], channel: str | None, locale: str | None) -> Scope:
    """Fix what the subtree of the current root field is seen through."""
    scope = await scope_of(info.context, channel, locale)
    info.context.scopes[root_key(info.path)] = scope
    return scope


def _carried(info: Info[Context, None]) -> Carried | None:
    """Return what the statement of the current root field is to bring."""
    return info.context.carried.get(root_key(info.path))


def _only(**given: str | None) -> tuple[str, str]:
    """Return the name and value of the one identifier that is given.

    Raises:
        BadUserInput: It is none or several.
    """
    present = [(name, value) for name, value in given.items() if value is not None]
    if len(present) != 1:
        names = ", ".join(given)
        raise BadUserInput(f"Give exactly one of {names}.")
    return present[0]


async def _identified(
    info: Info[Context, None], scope: Scope, type_name: str, lookups: Lookups, **given: str | None
) -> Any:
    name, value = _only(**given)
    if name == "id":
        return await nodes.node(info.context, scope, value, of=type_name, carried=_carried(info))
    return await catalogue.find(info.context, scope, lookups[name], value, carried=_carried(info))


def _listed(shown: type[Any], entity: type[Entity], policy: Policy, description: str) -> Any:
    """Declare a field that lists all rows of an entity."""

    async def resolve(
        info: Info[Context, None],
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        locale: LocaleArgument = None,
    ) -> Any:
        scope = await _see(info, None, locale)
        arguments = {"first": first, "after": after, "last": last, "before": before}
        page = paging(info.context, entity.__tablename__, arguments)
        return await catalogue.page_of_entity(info.context, scope, entity, page, carried=_carried(info))

    resolve.__annotations__["return"] = Connection[shown]  # type: ignore[valid-type]
    return lasts(LISTS)(costs(*PAGED)(field(policy, description=description, carries=True)(resolve)))


@strawberry.type(description="What can be read.")
class Query:
    """Each field calls one resolver function."""

    @lasts(DETAILS)
    @field(Open.ANYONE, description="The shop that answers.")
    def shop(self, info: Info[Context, None]) -> Shop:
        return shop_of(info)

    @lasts(LISTS)
    @costs(*at_most(MOST_CHANNELS))
    @field(
        Open.ANYONE,
        description=f"Where the shop sells, oldest first; a shop has at most {MOST_CHANNELS}.",
        carries=True,
    )
    async def channels(self, info: Info[Context, None]) -> list[Channel]:
        return cast("list[Channel]", await catalogue.channels(info.context, carried=_carried(info)))

    @lasts(DETAILS)
    @field(Open.ANYONE, description="A product by exactly one of id, slug and externalRef.", carries=True)
    async def product(
        self,
        info: Info[Context, None],
        id: strawberry.ID | None = None,
        slug: str | None = None,
        external_ref: str | None = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> Product | None:
        scope = await _see(info, channel, locale)
        return await _identified(info, scope, "Product", _PRODUCTS, id=id, slug=slug, externalRef=external_ref)

    @lasts(LISTS)
    @costs(*PAGED)
    @field(Open.ANYONE, description="Products: filtered, searched, sorted, in pages.", carries=True)
    async def products(
        self,
        info: Info[Context, None],
        filter: ProductFilterInput | None = None,
        sort: ProductSort = ProductSort.NEWEST,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> ProductSearchConnection:
        scope = await _see(info, channel, locale)
        currency = await catalogue.currency(info.context, scope) if filter and filter.price else None
        wanted = product_filter(filter, currency)
        page = paging(
            info.context,
            "products",
            {"first": first, "after": after, "last": last, "before": before},
            order=str(sort.value),
        )
        return cast(
            "ProductSearchConnection",
            await catalogue.products(info.context, scope, wanted, sort, page, carried=_carried(info)),
        )

    @lasts(DETAILS)
    @field(Open.ANYONE, description="A variant by exactly one of id and sku.", carries=True)
    async def variant(
        self,
        info: Info[Context, None],
        id: strawberry.ID | None = None,
        sku: str | None = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> Variant | None:
        scope = await _see(info, channel, locale)
        return await _identified(info, scope, "Variant", _VARIANTS, id=id, sku=sku)

    @lasts(DETAILS)
    @field(Open.ANYONE, description="A category by exactly one of id and slug.", carries=True)
    async def category(
        self,
        info: Info[Context, None],
        id: strawberry.ID | None = None,
        slug: str | None = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> Category | None:
        scope = await _see(info, channel, locale)
        return await _identified(info, scope, "Category", _CATEGORIES, id=id, slug=slug)

    @lasts(LISTS)
    @costs(*sliced(20, 100))
    @field(Open.ANYONE, description="The top of the category tree.", carries=True)
    async def categories(
        self,
        info: Info[Context, None],
        first: int = 20,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> list[Category]:
        scope = await _see(info, channel, locale)
        found = await catalogue.root_categories(info.context, scope, first=bounded(first, 100), carried=_carried(info))
        return cast("list[Category]", found)

    @lasts(DETAILS)
    @field(Open.ANYONE, description="A collection by exactly one of id and slug.", carries=True)
    async def collection(
        self,
        info: Info[Context, None],
        id: strawberry.ID | None = None,
        slug: str | None = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> Collection | None:
        scope = await _see(info, channel, locale)
        return await _identified(info, scope, "Collection", _COLLECTIONS, id=id, slug=slug)

    @lasts(DETAILS)
    @field(Open.ANYONE, description="Any object by its id; null where there is none, or none that you may see.")
    async def node(self, info: Info[Context, None], id: strawberry.ID) -> Node | None:
        # Relay's compiler refetches by a field `node` that takes an id and nothing else.
        return cast("Node | None", await nodes.node(info.context, await _see(info, None, None), id))

    @lasts(DETAILS)
    @costs(*one_for_each("ids", nodes.MOST_NODES))
    @field(Open.ANYONE, description=f"Objects by their ids, at most {nodes.MOST_NODES}, in the order of the ids.")
    async def nodes(
        self,
        info: Info[Context, None],
        ids: list[strawberry.ID],
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> list[Node | None]:
        return cast("list[Node | None]", await nodes.nodes(info.context, await _see(info, channel, locale), ids))

    collections: Connection[Collection] = _listed(
        Collection, collection_rows.Collection, Open.ANYONE, "Collections, oldest first."
    )
    attributes: Connection[Attribute] = _listed(
        Attribute, attribute_rows.Attribute, Open.ANYONE, "Attributes, oldest first."
    )
    product_types: Connection[ProductType] = _listed(
        ProductType, attribute_rows.ProductType, Open.ANYONE, "Product types, oldest first."
    )
    warehouses: Connection[Warehouse] = _listed(
        Warehouse, inventory_rows.Warehouse, Permission.INVENTORY_READ, "Warehouses, oldest first."
    )

    @costs(*PAGED)
    @field(Permission.REVIEWS_MODERATE, description="Reviews with a status, oldest first.", carries=True)
    async def reviews(
        self,
        info: Info[Context, None],
        status: ReviewStatus = ReviewStatus.PENDING,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Review]:
        arguments = {"first": first, "after": after, "last": last, "before": before}
        page = paging(info.context, f"reviews.{status.value}", arguments)
        return cast(
            "Connection[Review]",
            await catalogue.reviews_by_status(info.context, status.value, page, carried=_carried(info)),
        )
