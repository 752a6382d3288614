"""Connections: keyset pages in the shape of the GraphQL Cursor Connections Specification."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import strawberry

from core.pagination import COUNT_CEILING, DEFAULT_SIZE, LARGEST_SIZE, Page, page_request
from engine.loading import Argument, Prepare, computed, cursor
from loaders.batching import Paging
from resolvers.context import Context
from schema.cost import CONNECTION, COUNT, OBJECT_OF_NO_COST

T = TypeVar("T")


@strawberry.type(description="Where a page lies in its listing.", directives=OBJECT_OF_NO_COST)
class PageInfo:
    """View of a page."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None = cursor()
    end_cursor: str | None = cursor()


@strawberry.type(description="A row of a page, with the cursor that continues behind it.", directives=OBJECT_OF_NO_COST)
class Edge(Generic[T]):
    """View of a row and its page."""

    cursor: str = cursor()
    node: T


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """A row in its page; its cursor is made only when a client asks."""

    page: Page
    node: Any

    @property
    def cursor(self) -> str:
        return self.page.cursor_of(self.node)


@dataclasses.dataclass(frozen=True, slots=True)
class _PageInfo:
    """A page's `PageInfo`, its cursors made only when a client asks."""

    page: Page

    @property
    def has_next_page(self) -> bool:
        return self.page.has_next_page

    @property
    def has_previous_page(self) -> bool:
        return self.page.has_previous_page

    @property
    def start_cursor(self) -> str | None:
        return self.page.cursor_of(self.page.rows[0]) if self.page.rows else None

    @property
    def end_cursor(self) -> str | None:
        return self.page.cursor_of(self.page.rows[-1]) if self.page.rows else None


def _edges(page: Page) -> list[_Place]:
    return [_Place(page, row) for row in page.rows]


def _nodes(page: Page) -> Sequence[Any]:
    return page.rows


@strawberry.type(description="A page of a listing.", directives=CONNECTION)
class Connection(Generic[T]):
    """View of `core.pagination.Page`."""

    edges: list[Edge[T]] = computed(_edges, description="The rows with their cursors.")
    nodes: list[T] = computed(_nodes, description="The rows.")
    page_info: PageInfo = computed(_PageInfo, description="Where the page lies.")

    @strawberry.field(
        description=f"How many rows the whole listing has; {COUNT_CEILING} means that many or more.", directives=COUNT
    )
    async def total_count(self) -> int:
        return await cast("Page", self).count()


PAGE_ARGUMENTS: Mapping[str, Argument] = {
    "first": Argument(int | None, None, f"Rows at most, to {LARGEST_SIZE}; {DEFAULT_SIZE} where nothing is said."),
    "after": Argument(str | None, None, "Cursor of the row before the page."),
    "last": Argument(int | None, None, "Rows at most, read backwards."),
    "before": Argument(str | None, None, "Cursor of the row behind the page."),
}


def paging(context: Context, listing: str, arguments: Mapping[str, Any], *, order: str = "") -> Paging:
    """Read the arguments of a connection.

    Args:
        context: Of the operation.
        listing: What is listed; cursors of one listing and order are good for it alone.
        arguments: `first`, `after`, `last` and `before`, as `PAGE_ARGUMENTS` declares them.
        order: Name of the order.
    """
    codec = context.cursors(f"{listing}:{order}")
    return Paging(page_request(codec, **arguments), codec, order)


def paged(listing: str, *, order: Callable[[dict[str, Any]], str] | None = None) -> Prepare:
    """Return how a field that loads pages reads its arguments.

    Args:
        listing: See `paging`.
        order: Takes the arguments that are not about the page out of them, and names the order.
    """

    def prepare(context: Context, arguments: dict[str, Any]) -> Mapping[str, Any]:
        named = order(arguments) if order else ""
        return {"paging": paging(context, listing, arguments, order=named)}

    return prepare
