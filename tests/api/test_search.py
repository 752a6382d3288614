"""What people type to find something."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import text

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


async def test_a_sku_comes_before_the_words_and_not_instead_of_them(api, database, shop):
    await factories.sellable(database, shop, name="Lamp", search_config="english")
    box, _ = await factories.sellable(database, shop, name="Box", search_config="english")
    await factories.variant(database, shop, box, sku="lamp")

    answer = await api(FOUND, {"text": "lamp", "sort": "RELEVANCE"})

    assert names(answer) == ["Box", "Lamp"]
    assert answer.data["products"]["totalCount"] == 2


async def test_a_product_with_the_sku_and_the_words_is_found_once(api, database, shop):
    lamp, _ = await factories.sellable(database, shop, name="Lamp", search_config="english")
    await factories.variant(database, shop, lamp, sku="lamp")

    answer = await api(FOUND, {"text": "lamp", "sort": "RELEVANCE"})

    assert names(answer) == ["Lamp"]
    assert answer.data["products"]["totalCount"] == 1


async def hidden_draft(database, shop, **columns):
    """A product that is not active."""
    product, _ = await factories.sellable(database, shop, status="DRAFT", search_config="english", **columns)
    return product


async def hidden_elsewhere(database, shop, **columns):
    """A product that only another channel sells."""
    channel = await factories.channel(database, shop)
    product = await factories.product(database, shop, search_config="english", **columns)
    variant = await factories.variant(database, shop, product)
    await factories.listing(database, shop, variant, channel_id=channel.id)
    return product


async def hidden_until_later(database, shop, **columns):
    """A product that is sold from next year on."""
    product = await factories.product(database, shop, search_config="english", **columns)
    variant = await factories.variant(database, shop, product)
    await factories.listing(database, shop, variant, available_from=datetime.now(UTC) + timedelta(days=365))
    return product


HIDDEN = [hidden_draft, hidden_elsewhere, hidden_until_later]


@pytest.mark.parametrize("hidden", HIDDEN)
async def test_a_hidden_sku_does_not_switch_a_word_off(api, database, shop, hidden):
    await factories.sellable(database, shop, name="Lamp", search_config="english")
    secret = await hidden(database, shop, name="Secret")
    await factories.variant(database, shop, secret, sku="lamp")

    shopper = await api(FOUND, {"text": "lamp"})
    staff = await api(FOUND, {"text": "lamp"}, role="catalogue")

    assert names(shopper) == ["Lamp"]
    assert names(staff) == ["Lamp", "Secret"]


@pytest.mark.parametrize("hidden", HIDDEN)
async def test_a_hidden_word_does_not_switch_spelling_errors_off(api, database, shop, hidden):
    await factories.sellable(database, shop, name="Running Shoe", search_config="english")
    await hidden(database, shop, name="Runing")

    shopper = await api(FOUND, {"text": "runing"})
    staff = await api(FOUND, {"text": "runing"}, role="catalogue")

    assert names(shopper) == ["Running Shoe"]
    assert names(staff) == ["Runing"]


@pytest.mark.parametrize("hidden", HIDDEN)
async def test_a_spelling_error_does_not_find_what_is_hidden(database, shop, hidden):
    await hidden(database, shop, name="Running Shoe")

    assert await found(database, shop, shop.default_channel_id, "runing", drafts=False) == 0
    assert await found(database, shop, shop.default_channel_id, "runing", drafts=True) == 1


@pytest.mark.parametrize("sought", ["lamp", "LAMP-1", "lam"])
async def test_a_search_finds_nothing_of_another_shop(database, shop, sought):
    product, _ = await factories.sellable(database, shop, name="Lamp", search_config="english")
    await factories.variant(database, shop, product, sku="LAMP-1")
    other = await factories.shop(database)

    assert await found(database, shop, shop.default_channel_id, sought, drafts=True) == 1
    assert await found(database, other, shop.default_channel_id, sought, drafts=True) == 0


async def test_a_search_without_a_tenant_finds_nothing(database, shop, postgres):
    await factories.sellable(database, shop, name="Lamp", search_config="english")
    application = await asyncpg.connect(postgres.app_url)

    rows = await application.fetch(
        "SELECT * FROM search_products('lamp', 'english', $1, true, 10)", shop.default_channel_id
    )

    await application.close()
    assert rows == []


async def found(database, shop, channel_id, sought, *, drafts):
    """How many products the function finds, with the rights of the application."""
    tenant = database.of_tenant(shop.id)
    statement = text("SELECT count(*) AS total FROM search_products(:sought, 'english', :channel, :drafts, 10)")
    rows = await tenant.fetch(statement, sought=sought, channel=channel_id, drafts=drafts)
    await tenant.close()
    return rows[0].total


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
