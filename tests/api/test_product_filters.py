"""Listings of products against the same listings worked out by hand: every filter, every order, every page."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.shelves import COLORS, ITEMS, ORDERS, TREE, Item, Shelf, shelf

PAGE = """
query Page($filter: ProductFilterInput, $sort: ProductSort!, $first: Int, $after: String, $last: Int, $before: String) {
  products(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    nodes { id }
    facets { attribute { slug } values { value { slug } count } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

AMOUNTS = ("0", "4.99", "5", "9.99", "10.00", "20", "9999999999999.99")
SLOW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

Condition = tuple[dict[str, Any], Callable[[Item], bool]]
"""A part of a filter as a client writes it, and what it means."""


def category(number: int) -> Condition:
    below = {number}
    for child, parent in enumerate(TREE):
        below |= {child} if parent in below else set()
    return {"category": number}, lambda item: item.category in below


def price(minimum: str | None, maximum: str | None) -> Condition:
    low = int(Decimal(minimum or 0) * 100)
    high = int(Decimal(maximum) * 100) if maximum is not None else None
    given = {"minimum": minimum, "maximum": maximum}
    return {"price": given}, lambda item: max(item.prices) >= low and (high is None or min(item.prices) <= high)


def colors(slugs: list[str]) -> Condition:
    return {"attributes": [{"attribute": "color", "values": slugs}]}, lambda item: bool(item.colors & set(slugs))


def size(minimum: float | None, maximum: float | None) -> Condition:
    def matches(item: Item) -> bool:
        return (
            item.size is not None
            and (minimum is None or item.size >= minimum)
            and (maximum is None or item.size <= maximum)
        )

    return {"attributes": [{"attribute": "size", "range": {"minimum": minimum, "maximum": maximum}}]}, matches


def is_new(wanted: bool) -> Condition:  # noqa: FBT001
    return {"attributes": [{"attribute": "is-new", "boolean": wanted}]}, lambda item: item.is_new is wanted


def is_available(wanted: bool) -> Condition:  # noqa: FBT001
    def matches(item: Item) -> bool:
        return (not item.is_tracked or item.on_hand + item.backorder_limit > 0) is wanted

    return {"isAvailable": wanted}, matches


def rating(least: float) -> Condition:
    return {"rating": least}, lambda item: item.rating is not None and item.rating >= least


def vendor(name: str) -> Condition:
    return {"vendor": name}, lambda item: item.vendor == name


def tags(wanted: list[str]) -> Condition:
    return {"tags": wanted}, lambda item: item.tags >= set(wanted)


AMOUNT = st.none() | st.sampled_from(AMOUNTS)
SIZE = st.sampled_from((None, 0.1, 2.5, 38.0))
CONDITIONS: dict[str, st.SearchStrategy[Condition]] = {
    "category": st.integers(0, len(TREE) - 1).map(category),
    "price": st.tuples(AMOUNT, AMOUNT)
    .filter(lambda pair: None in pair or Decimal(pair[0]) <= Decimal(pair[1]))
    .map(lambda pair: price(*pair)),
    "color": st.lists(st.sampled_from((*COLORS, "unheard-of")), max_size=2).map(colors),
    "size": st.tuples(SIZE, SIZE).filter(lambda pair: None in pair or pair[0] <= pair[1]).map(lambda pair: size(*pair)),
    "is_new": st.booleans().map(is_new),
    "is_available": st.booleans().map(is_available),
    "rating": st.sampled_from((1, 2.5, 5)).map(rating),
    "vendor": st.sampled_from(("Acme", "acme", "Bolt", "%")).map(vendor),
    "tags": st.lists(st.sampled_from(("new", "sale", "50%", "50_")), max_size=2).map(tags),
}


@st.composite
def filters(draw: st.DrawFn) -> list[Condition]:
    names = draw(st.sets(st.sampled_from(sorted(CONDITIONS)), max_size=3))
    return [draw(CONDITIONS[name]) for name in sorted(names)]


def written(stock: Shelf, conditions: list[Condition]) -> dict[str, Any]:
    """Return the filter as a client writes it."""
    together: dict[str, Any] = {}
    for part, _ in conditions:
        for name, value in part.items():
            together[name] = [*together.get(name, []), *value] if name == "attributes" else value
    if "category" in together:
        together["category"] = stock.category_id(together["category"])
    return together


@dataclasses.dataclass(frozen=True, slots=True)
class Walk:
    """A way through a listing, page by page."""

    wanted: list[Condition]
    sort: str
    length: int
    forward: bool


WALKS = st.builds(
    Walk,
    wanted=st.just([]) | st.integers(0, 1).map(lambda number: [category(number)]),
    sort=st.sampled_from(sorted(ORDERS)),
    length=st.integers(1, 4),
    forward=st.booleans(),
)


async def walked(api: Any, variables: dict[str, Any], walk: Walk) -> list[str]:
    """Read a listing to its end, page by page, and return all ids in the listing's order."""
    found: list[str] = []
    cursor, forward = None, walk.forward
    size_argument, cursor_argument = ("first", "after") if forward else ("last", "before")
    while True:
        answer = await api(PAGE, {**variables, size_argument: walk.length, cursor_argument: cursor})
        page = answer.data["products"]
        ids = [node["id"] for node in page["nodes"]]
        found = found + ids if forward else ids + found
        info = page["pageInfo"]
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            return found
        cursor = info["endCursor" if forward else "startCursor"]


@SLOW
@given(items=st.lists(ITEMS, max_size=8), wanted=filters(), sort=st.sampled_from(sorted(ORDERS)))
async def test_a_filter_leaves_what_meets_it_in_order(api, database, items, wanted, sort):
    stock = await shelf(database, items)

    answer = await api.of(stock.shop)(PAGE, {"filter": written(stock, wanted), "sort": sort})

    key, descending = ORDERS[sort]
    expected = stock.ids(lambda item: all(matches(item) for _, matches in wanted), key, descending=descending)
    assert [node["id"] for node in answer.data["products"]["nodes"]] == expected
    assert answer.data["products"]["totalCount"] == len(expected)


@SLOW
@given(items=st.lists(ITEMS, min_size=3, max_size=9), walk=WALKS)
async def test_pages_give_everything_once_in_either_direction(api, database, items, walk):
    stock = await shelf(database, items)

    found = await walked(api.of(stock.shop), {"filter": written(stock, walk.wanted), "sort": walk.sort}, walk)

    key, descending = ORDERS[walk.sort]
    assert found == stock.ids(lambda item: all(matches(item) for _, matches in walk.wanted), key, descending=descending)


@SLOW
@given(items=st.lists(ITEMS, max_size=8), own=st.none() | CONDITIONS["color"], other=filters())
async def test_facets_count_products_and_leave_their_own_filter_out(api, database, items, own, other):
    stock = await shelf(database, items)
    other = [condition for condition in other if condition[0].get("attributes", [{}])[0].get("attribute") != "color"]
    wanted = [*other, own] if own else other

    answer = await api.of(stock.shop)(PAGE, {"filter": written(stock, wanted), "sort": "NEWEST"})

    left = [item for item in items if item.prices and all(matches(item) for _, matches in other)]
    counts = {color: sum(color in item.colors for item in left) for color in COLORS}
    found = {
        value["value"]["slug"]: value["count"]
        for facet in answer.data["products"]["facets"]
        for value in facet["values"]
    }
    assert found == {color: count for color, count in counts.items() if count}
