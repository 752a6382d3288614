"""Pages below several parents: each parent gets its own rows and its own count, in the order asked for."""

import pytest

from core.database import Database
from tests import factories

PRODUCTS = "{ totalCount nodes { slug } }"


def listed(connection):
    return connection["totalCount"], [node["slug"] for node in connection["nodes"]]


@pytest.fixture
async def tree(database: Database, shop):
    """Two categories, the second with one below it, and three products: one in each."""
    plants = await factories.category(database, shop, slug="plants", position=0)
    tools = await factories.category(database, shop, slug="tools", position=1)
    saws = await factories.category(database, shop, slug="saws", parent=tools)
    for name, place in (("fern", plants), ("spade", tools), ("handsaw", saws)):
        await factories.sellable(database, shop, slug=name, category_id=place.id)


@pytest.mark.parametrize("sort", ["NEWEST", "NAME_DESC", "PRICE_DESC"])
@pytest.mark.usefixtures("tree")
async def test_each_category_lists_what_is_in_and_below_it(api, sort):
    answer = await api(f"{{ categories {{ products(sort: {sort}) {PRODUCTS} }} }}")

    plants, tools = (listed(category["products"]) for category in answer.data["categories"])
    assert plants == (1, ["fern"])
    assert (tools[0], sorted(tools[1])) == (2, ["handsaw", "spade"])


@pytest.mark.usefixtures("tree")
async def test_each_category_has_a_page_of_its_own(api):
    answer = await api(
        "{ categories { products(first: 1, sort: OLDEST) { nodes { slug } pageInfo { hasNextPage } } } }"
    )

    assert [category["products"] for category in answer.data["categories"]] == [
        {"nodes": [{"slug": "fern"}], "pageInfo": {"hasNextPage": False}},
        {"nodes": [{"slug": "spade"}], "pageInfo": {"hasNextPage": True}},
    ]


@pytest.mark.usefixtures("tree")
async def test_each_category_continues_behind_the_cursor(api):
    first = await api('{ category(slug: "tools") { products(first: 1, sort: OLDEST) { pageInfo { endCursor } } } }')
    cursor = first.data["category"]["products"]["pageInfo"]["endCursor"]

    answer = await api(f'{{ categories {{ products(after: "{cursor}", sort: OLDEST) {{ nodes {{ slug }} }} }} }}')

    assert [category["products"]["nodes"] for category in answer.data["categories"]] == [[], [{"slug": "handsaw"}]]


async def test_each_collection_lists_its_own_products(database, shop, api):
    made = [(await factories.sellable(database, shop, slug=name))[0] for name in ("fern", "spade", "handsaw")]
    await factories.collection(database, shop, made[2], made[1])
    await factories.collection(database, shop, made[0])

    answer = await api(f"{{ collections {{ nodes {{ products {PRODUCTS} }} }} }}")

    found = [listed(collection["products"]) for collection in answer.data["collections"]["nodes"]]
    assert found == [(2, ["handsaw", "spade"]), (1, ["fern"])]


async def test_each_product_counts_its_own_reviews(database, shop, api):
    for reviews in (2, 1):
        product, _ = await factories.sellable(database, shop)
        for number in range(reviews):
            await factories.review(database, shop, product, title=f"{reviews}-{number}")

    answer = await api("{ products(sort: OLDEST) { nodes { reviews { totalCount nodes { title } } } } }")

    assert [product["reviews"] for product in answer.data["products"]["nodes"]] == [
        {"totalCount": 2, "nodes": [{"title": "2-1"}, {"title": "2-0"}]},
        {"totalCount": 1, "nodes": [{"title": "1-0"}]},
    ]
