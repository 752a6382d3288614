"""What people type to find something."""

import pytest

from tests import factories

FOUND = """
query Found($text: String, $sort: ProductSort! = NAME_ASC) {
  products(filter: {text: $text}, sort: $sort) { totalCount nodes { name } }
}
"""


def names(answer):
    return [node["name"] for node in answer.data["products"]["nodes"]]


@pytest.fixture(scope="module")
async def assortment(database):
    shop = await factories.shop(database)
    for columns in (
        {"name": "Linen Shirt", "search_config": "english"},
        {"name": "Oxford Shirts", "description": "With buttons", "search_config": "english"},
        {"name": "Running Shoe", "vendor": "Acme", "tags": ["sport"], "search_config": "english"},
        {"name": "100% Wool_Scarf", "search_config": "english"},
        {"name": "リネンシャツ", "search_config": "simple"},
        {"name": r"Back\slash", "search_config": "english"},
    ):
        await factories.sellable(database, shop, **columns)
    boot = await factories.product(database, shop, name="Boot", search_config="english")
    variant = await factories.variant(database, shop, boot, sku="BOOT-42/é")
    await factories.listing(database, shop, variant)
    hidden = await factories.product(database, shop, name="Hidden Shirt", status="DRAFT", search_config="english")
    await factories.variant(database, shop, hidden, sku="HIDDEN-1")
    return shop


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shirt", ["Linen Shirt", "Oxford Shirts"]),
        ("SHIRTS", ["Linen Shirt", "Oxford Shirts"]),
        ("linen shirt", ["Linen Shirt"]),
        ('"oxford shirt"', ["Oxford Shirts"]),
        ("shirt -linen", ["Oxford Shirts"]),
        ("linen OR shoe", ["Linen Shirt", "Running Shoe"]),
        ("button", ["Oxford Shirts"]),
        ("acme", ["Running Shoe"]),
        ("sport", ["Running Shoe"]),
        ("  shoe  ", ["Running Shoe"]),
        ("BOOT-42/é", ["Boot"]),
        ("HIDDEN-1", []),
        ("lin", ["Linen Shirt"]),
        ("runing", ["Running Shoe"]),
        ("oxfort", ["Oxford Shirts"]),
        ("シャツ", ["リネンシャツ"]),
        ("100%", ["100% Wool_Scarf"]),
        ("%", ["100% Wool_Scarf"]),
        ("l_S", ["100% Wool_Scarf"]),
        ("k\\s", ["Back\\slash"]),
        ("_i", []),
        ("no such thing", []),
        ("'", []),
        ('"', []),
        ("'; DROP TABLE product; --", []),
        ("&|!():*<->", []),
    ],
)
async def test_text_finds(api, assortment, text, expected):
    answer = await api.of(assortment)(FOUND, {"text": text})

    assert names(answer) == expected
    assert answer.data["products"]["totalCount"] == len(expected)


@pytest.mark.parametrize("text", [None, "", "   ", "\n\t"])
async def test_no_text_restricts_nothing(api, assortment, text):
    assert len(names(await api.of(assortment)(FOUND, {"text": text}))) == 7


@pytest.mark.parametrize("text", ["x" * 201, "shirt " * 1_700, "シ" * 10_000])
async def test_a_text_that_nobody_types_is_refused(api, assortment, text):
    answer = await api.of(assortment)(FOUND, {"text": text})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.statements == 0


async def test_the_longest_text_is_searched_for(api, assortment):
    assert names(await api.of(assortment)(FOUND, {"text": "x" * 200})) == []


async def test_relevance_puts_the_name_before_the_description(api, database, shop):
    await factories.sellable(database, shop, name="Box", description="For a lamp", search_config="english")
    await factories.sellable(database, shop, name="Lamp", search_config="english")

    answer = await api(FOUND, {"text": "lamp", "sort": "RELEVANCE"})

    assert names(answer) == ["Lamp", "Box"]


RANKED = """
query Ranked($after: String) {
  products(filter: {text: "lamp"}, sort: RELEVANCE, first: 1, after: $after) {
    nodes { name } pageInfo { endCursor hasNextPage }
  }
}
"""


async def test_relevance_comes_in_pages(api, database, shop):
    for name in ("Lamp", "Lamp lamp", "Desk lamp"):
        await factories.sellable(database, shop, name=name, search_config="english")
    found, cursor = [], None
    for _ in range(3):
        answer = await api(RANKED, {"after": cursor})
        found += names(answer)
        cursor = answer.data["products"]["pageInfo"]["endCursor"]

    assert sorted(found) == ["Desk lamp", "Lamp", "Lamp lamp"]
    assert answer.data["products"]["pageInfo"]["hasNextPage"] is False


async def test_relevance_of_nothing_is_refused(api):
    answer = await api(FOUND, {"text": " ", "sort": "RELEVANCE"})

    assert answer.codes == ["BAD_USER_INPUT"]
