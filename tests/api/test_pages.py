"""Pages: their bounds, their cursors, and what happens between two of them."""

import base64

import pytest
from sqlalchemy import delete

from models.products import Product
from tests import factories
from tests.api.shelves import Item, shelf

NAMES = """
query Names($first: Int, $after: String, $last: Int, $before: String, $sort: ProductSort! = NAME_ASC) {
  products(first: $first, after: $after, last: $last, before: $before, sort: $sort) {
    totalCount
    edges { cursor node { name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


def names(answer):
    return [edge["node"]["name"] for edge in answer.data["products"]["edges"]]


@pytest.fixture(scope="module")
async def letters(database):
    return await shelf(database, [Item(name=letter) for letter in "abcde"])


async def test_nothing_said_means_the_first_twenty(api, database):
    stock = await shelf(database, [Item(name=f"{number:03}") for number in range(101)])
    asked = api.of(stock.shop)

    assert len(names(await asked(NAMES))) == 20
    assert len(names(await asked(NAMES, {"first": 100}))) == 100
    assert len(names(await asked(NAMES, {"first": 1}))) == 1
    assert len(names(await asked(NAMES, {"last": 100}))) == 100


@pytest.mark.parametrize("size", [101, -1, 2_147_483_647, -2_147_483_648])
@pytest.mark.parametrize("argument", ["first", "last"])
async def test_a_size_out_of_bounds_is_refused(api, argument, size):
    answer = await api(NAMES, {argument: size})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.body["data"] is None
    assert answer.statements == 0


@pytest.mark.parametrize(
    "both",
    [{"first": 1, "last": 1}, {"first": 1, "before": "x"}, {"last": 1, "after": "x"}, {"after": "", "before": ""}],
)
async def test_two_directions_at_once_are_refused(api, both):
    assert (await api(NAMES, both)).codes == ["BAD_USER_INPUT"]


async def test_a_page_of_nothing_is_empty(api, letters):
    page = (await api.of(letters.shop)(NAMES, {"first": 0})).data["products"]

    assert page["edges"] == []
    assert page["totalCount"] == 5
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


async def test_pages_say_where_they_lie(api, letters):
    asked = api.of(letters.shop)
    first = (await asked(NAMES, {"first": 2})).data["products"]
    middle = (await asked(NAMES, {"first": 2, "after": first["pageInfo"]["endCursor"]})).data["products"]
    back = (await asked(NAMES, {"last": 2, "before": middle["pageInfo"]["startCursor"]})).data["products"]
    last = (await asked(NAMES, {"last": 2})).data["products"]

    def told(page):
        letters = "".join(edge["node"]["name"] for edge in page["edges"])
        return letters, page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]

    assert [told(page) for page in (first, middle, back, last)] == [
        ("ab", False, True),
        ("cd", True, True),
        ("ab", False, True),
        ("de", True, False),
    ]
    assert middle["pageInfo"]["startCursor"] == middle["edges"][0]["cursor"]
    assert middle["pageInfo"]["endCursor"] == middle["edges"][-1]["cursor"]


async def test_what_is_inserted_between_two_pages_shifts_nothing(api, database, shop):
    for name in ("b", "d", "f", "h"):
        await factories.sellable(database, shop, name=name)
    cursor = (await api(NAMES, {"first": 2})).data["products"]["pageInfo"]["endCursor"]
    for name in ("a", "e"):
        await factories.sellable(database, shop, name=name)

    assert names(await api(NAMES, {"first": 2, "after": cursor})) == ["e", "f"]
    assert names(await api(NAMES, {"last": 9, "before": cursor})) == ["a", "b"]


async def test_a_cursor_is_good_though_its_row_has_gone(api, database, shop):
    made = [(await factories.sellable(database, shop, name=name))[0] for name in "abc"]
    cursor = (await api(NAMES, {"first": 2})).data["products"]["pageInfo"]["endCursor"]
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(delete(Product).where(Product.id == made[1].id))
        await transaction.commit()

    assert names(await api(NAMES, {"first": 2, "after": cursor})) == ["c"]


def _signed_off_by_nobody(cursor: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[-3] ^= 1
    return base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: "x",
        lambda _: "é",
        lambda _: "\0",
        lambda _: "1" * 100_000,
        lambda cursor: cursor[:-4],
        lambda cursor: cursor + "AAAA",
        lambda cursor: cursor[::-1],
        _signed_off_by_nobody,
    ],
)
async def test_a_cursor_that_was_not_given_out_is_refused(api, letters, spoil):
    asked = api.of(letters.shop)
    good = (await asked(NAMES, {"first": 1})).data["products"]["pageInfo"]["endCursor"]

    for argument in ("after", "before"):
        assert (await asked(NAMES, {argument: spoil(good)})).codes == ["BAD_USER_INPUT"]
        assert "errors" not in (await asked(NAMES, {argument: good})).body


async def test_a_cursor_is_good_for_its_own_order_and_listing_alone(api, database, letters):
    asked = api.of(letters.shop)
    good = (await asked(NAMES, {"first": 1})).data["products"]["pageInfo"]["endCursor"]
    other_shop = await shelf(database, [Item()])

    assert (await asked(NAMES, {"after": good, "sort": "NEWEST"})).codes == ["BAD_USER_INPUT"]
    assert (await asked("query($after: String) { collections(after: $after) { nodes { id } } }", {"after": good})).codes
    assert (await api.of(other_shop.shop)(NAMES, {"after": good})).codes == ["BAD_USER_INPUT"]


async def test_the_longest_names_have_cursors_that_can_be_read_back(api, database):
    longest = ["🧦" * 200, "\x01" * 200, "\u0001🧦" * 100]
    stock = await shelf(database, [Item(name=name) for name in longest])
    asked = api.of(stock.shop)
    found, cursor = [], None
    for _ in longest:
        answer = await asked(NAMES, {"first": 1, "after": cursor})
        found += names(answer)
        cursor = answer.data["products"]["pageInfo"]["endCursor"]

    assert found == sorted(longest)


REVIEWS = """
query Reviews($id: ID!, $first: Int, $after: String) {
  product(id: $id) {
    reviews(first: $first, after: $after) {
      totalCount nodes { title author { name } } pageInfo { endCursor hasNextPage }
    }
  }
}
"""


async def test_reviews_come_in_pages_newest_first_and_approved_alone(api, database, shop):
    product, _ = await factories.sellable(database, shop)
    for title in ("one", "two", "three"):
        await factories.review(database, shop, product, title=title, author_name=title.title())
    for status in ("PENDING", "REJECTED"):
        await factories.review(database, shop, product, title=status, status=status)
    product_id = (await api("{ products { nodes { id } } }")).data["products"]["nodes"][0]["id"]

    first = (await api(REVIEWS, {"id": product_id, "first": 2})).data["product"]["reviews"]
    second = (await api(REVIEWS, {"id": product_id, "after": first["pageInfo"]["endCursor"]})).data["product"][
        "reviews"
    ]

    assert first["nodes"] == [
        {"title": "three", "author": {"name": "Three"}},
        {"title": "two", "author": {"name": "Two"}},
    ]
    assert first["pageInfo"]["hasNextPage"] is True
    assert first["totalCount"] == 3
    assert [node["title"] for node in second["nodes"]] == ["one"]


@pytest.mark.parametrize("first", [-1, 101, 2_147_483_647])
async def test_a_list_out_of_bounds_is_refused(api, database, shop, first):
    await factories.sellable(database, shop)
    answer = await api(
        "query($first: Int!) { products(first: 1) { nodes { media(first: $first) { url } } } }", {"first": first}
    )

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_relevance_sorts_no_category(api, database, shop):
    await factories.category(database, shop, slug="bags")
    answer = await api('{ category(slug: "bags") { slug products(first: 1, sort: RELEVANCE) { totalCount } } }')

    assert answer.codes == ["BAD_USER_INPUT"]
    [error] = answer.body["errors"]
    assert error["path"] == ["category", "products"]
    assert answer.body["data"] == {"category": None}
