"""How the catalogue is read: look-ups, listings and facets."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from core.errors import BadUserInput
from core.pagination import Page
from core.statements import Row
from loaders import catalogue as relations
from loaders.batching import Paging, cursor_values, page_of
from loaders.carrying import Carried, read
from models import catalogue as rows
from models import pages, product_pages, shops
from models.base import Entity, Statement
from models.product_filters import ProductFilter, ProductSort
from models.scopes import Scope, Shape
from models.search import search_config
from resolvers.context import Actor, Context, Permission

LONGEST_SEARCH = 200
"""Characters of a search; nobody types more, and each word costs."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProductListing(Page):
    """A page of a listing of products, and what was asked.

    Attributes:
        filter: Which products.
        scope: What is seen.
    """

    filter: ProductFilter
    scope: Scope


async def channels(context: Context, *, carried: Carried | None = None) -> Sequence[Row]:
    """Return all channels of the shop, oldest first."""
    return await read(context.database, shops.channels, context.default_scope(), carried)


async def currency(context: Context, scope: Scope) -> str:
    """Return the currency that prices of a scope are in."""
    if scope.channel_id is None:
        return context.shop.default_currency
    channel = await context.loaders.load(relations.channel, scope.channel_id, scope, {})
    return str(channel.currency)


async def find(
    context: Context,
    scope: Scope,
    statement: Callable[[Shape], Statement],
    value: str,
    *,
    carried: Carried | None = None,
) -> Row | None:
    """Return the row that a look-up by text finds; None where there is none, or none that may be seen."""
    found = await read(context.database, statement(scope.shape), scope, carried, value=value)
    return found[0] if found else None


async def root_categories(
    context: Context, scope: Scope, *, first: int, carried: Carried | None = None
) -> Sequence[Row]:
    """Return the categories at the top of the tree."""
    return await read(context.database, rows.root_categories(scope.shape), scope, carried, first=first)


async def products(  # noqa: PLR0913  (what is asked, how it is sorted and cut, and what it brings)
    context: Context,
    scope: Scope,
    wanted: ProductFilter,
    sort: ProductSort,
    paging: Paging,
    *,
    carried: Carried | None = None,
) -> ProductListing:
    """Return a page of products.

    Args:
        context: Of the operation.
        scope: What is seen.
        wanted: Which products.
        sort: In which order.
        paging: Which page.
        carried: What to bring of each; its columns begin with id and sort_key where cursors are asked for.

    Raises:
        BadUserInput: The filter cannot be met by any product, or needs what it does not bring.
    """
    _check(context.actor, wanted, sort)
    request = paging.request
    statement = product_pages.product_page(scope.shape, wanted.form, sort, request.forward, request.cursor is not None)
    found = await _read(context, scope, wanted, statement, carried, **cursor_values(request))

    async def count() -> int:
        counted = await _read(context, scope, wanted, product_pages.product_count(scope.shape, wanted.form))
        return int(counted[0].total)

    page = page_of(found, paging, count, by_position=carried is not None)
    return ProductListing(
        **{field.name: getattr(page, field.name) for field in dataclasses.fields(page)}, filter=wanted, scope=scope
    )


async def facets(context: Context, listing: ProductListing) -> Sequence[Row]:
    """Return how many products of a listing have each value of each filterable attribute, attribute by attribute."""
    shape, wanted = listing.scope.shape, listing.filter
    return await _read(context, listing.scope, wanted, product_pages.product_facets(shape, wanted.form))


async def _read(
    context: Context,
    scope: Scope,
    wanted: ProductFilter,
    statement: Statement,
    carried: Carried | None = None,
    **more: Any,
) -> list[Row]:
    values = {**wanted.values(), "search_config": search_config(context.shop.default_locale), **more}
    return await read(context.database, statement, scope, carried, **values)


def _check(actor: Actor, wanted: ProductFilter, sort: ProductSort) -> None:
    if sort is ProductSort.RELEVANCE and not wanted.text:
        raise BadUserInput("RELEVANCE sorts what a text search finds; give filter.text.", argument="sort")
    if wanted.text is not None and len(wanted.text) > LONGEST_SEARCH:
        raise BadUserInput(f"A search has at most {LONGEST_SEARCH} characters.", argument="filter.text")
    if wanted.status is not None:
        actor.require(Permission.CATALOGUE_READ)
    low, high = wanted.price_from_minor, wanted.price_to_minor
    if low is not None and high is not None and low > high:
        raise BadUserInput("The price range ends before it begins.", argument="filter.price")


async def page_of_entity(
    context: Context, scope: Scope, entity: type[Entity], paging: Paging, *, carried: Carried | None = None
) -> Page:
    """Return a page of all rows of an entity, oldest first; `carried` as in `products`."""
    request = paging.request
    statement = pages.entity_page(entity, scope.shape, request.forward, request.cursor is not None)
    found = await read(context.database, statement, scope, carried, **cursor_values(request))

    async def count() -> int:
        counted = await context.database.fetch(pages.entity_count(entity, scope.shape))
        return int(counted[0].total)

    return page_of(found, paging, count, by_position=carried is not None)


async def reviews_by_status(context: Context, status: str, paging: Paging, *, carried: Carried | None = None) -> Page:
    """Return a page of the reviews with a status, oldest first; `carried` as in `products`."""
    request = paging.request
    statement = pages.reviews_by_status(request.forward, request.cursor is not None)
    scope = context.default_scope()
    found = await read(context.database, statement, scope, carried, value=status, **cursor_values(request))

    async def count() -> int:
        return int((await context.database.fetch(pages.review_count_by_status, value=status))[0].total)

    return page_of(found, paging, count, by_position=carried is not None)
