"""Prices to the last digit, stock as it can be had, and filters that nothing can meet."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import factories

PRICES = """
{ products { nodes {
  priceRange { minimum { amount amountMinor currency } maximum { amount amountMinor } }
  variants { price { amount amountMinor currency } }
} } }
"""


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [
        ("USD", 0, "0.00"),
        ("USD", 5, "0.05"),
        ("USD", 1_950, "19.50"),
        ("JPY", 0, "0"),
        ("JPY", 500, "500"),
        ("KWD", 1, "0.001"),
        ("KWD", 12_345, "12.345"),
        ("USD", 10**18, "10000000000000000.00"),
        ("KWD", 2**63 - 1, "9223372036854775.807"),
    ],
)
async def test_amounts_are_exact_in_every_currency(api, database, currency, minor, amount):
    shop = await factories.shop(database, currency=currency)
    await factories.sellable(database, shop, price_minor=minor)

    node = (await api.of(shop)(PRICES)).data["products"]["nodes"][0]

    expected = {"amount": amount, "amountMinor": str(minor), "currency": currency}
    assert node["variants"] == [{"price": expected}]
    assert node["priceRange"]["minimum"] == expected
    assert node["priceRange"]["maximum"] == {"amount": amount, "amountMinor": str(minor)}


async def test_a_range_spans_the_variants_that_are_sold(api, database, shop):
    product, _ = await factories.sellable(database, shop, price_minor=1_000)
    dear = await factories.variant(database, shop, product)
    await factories.listing(database, shop, dear, price_minor=3_000)
    unpublished = await factories.variant(database, shop, product)
    await factories.listing(database, shop, unpublished, price_minor=1, is_published=False)

    price_range = (await api(PRICES)).data["products"]["nodes"][0]["priceRange"]

    assert (price_range["minimum"]["amount"], price_range["maximum"]["amount"]) == ("10.00", "30.00")


AVAILABLE = """
query Available($wanted: Boolean!) {
  all: products { nodes { availability { isAvailable quantity } variants { availability { isAvailable quantity } } } }
  filtered: products(filter: {isAvailable: $wanted}) { totalCount }
}
"""


@pytest.mark.parametrize(
    ("variant", "stock", "listing", "expected"),
    [
        ({}, {"on_hand": 3}, {}, (True, 3)),
        ({}, {"on_hand": 0}, {}, (False, 0)),
        ({}, None, {}, (False, 0)),
        ({}, {"on_hand": 5, "allocated": 2, "reserved": 1, "safety": 1}, {}, (True, 1)),
        ({}, {"on_hand": 5, "allocated": 2, "reserved": 2, "safety": 1}, {}, (False, 0)),
        ({}, {"on_hand": 1, "safety": 5}, {}, (False, 0)),
        ({}, {"on_hand": 0, "backorder_limit": 2}, {}, (True, 0)),
        ({}, {"on_hand": 0, "allocated": 2, "backorder_limit": 2}, {}, (False, 0)),
        ({"track_inventory": False}, None, {}, (True, None)),
        ({}, {"on_hand": 3}, {"is_published": False}, (False, 3)),
        ({}, {"on_hand": 3}, {"available_from": datetime.now(UTC) + timedelta(days=1)}, (False, 3)),
        ({}, {"on_hand": 2_147_483_647}, {}, (True, 2_147_483_647)),
    ],
)
async def test_what_can_be_had_of_a_variant(api, database, shop, variant, stock, listing, expected):  # noqa: PLR0913, PLR0917
    product = await factories.product(database, shop)
    made = await factories.variant(database, shop, product, **variant)
    await factories.listing(database, shop, made, **listing)
    if stock is not None:
        await factories.stock(database, shop, made, **stock)
    is_available, quantity = expected

    found = (await api(AVAILABLE, {"wanted": True}, role="support")).data
    refused = (await api(AVAILABLE, {"wanted": False}, role="support")).data

    told = {"isAvailable": is_available, "quantity": quantity}
    assert found["all"]["nodes"] == [{"availability": told, "variants": [{"availability": told}]}]
    assert found["filtered"]["totalCount"] == is_available
    assert refused["filtered"]["totalCount"] == (not is_available)


async def test_the_stock_of_a_channel_is_that_of_its_warehouses(api, database, shop):
    _, variant = await factories.sellable(database, shop, on_hand=2)
    second = await factories.warehouse(database, shop, shop.default_channel_id)
    elsewhere = await factories.warehouse(database, shop)
    await factories.stock(database, shop, variant, warehouse_id=second.id, on_hand=3)
    await factories.stock(database, shop, variant, warehouse_id=elsewhere.id, on_hand=100)

    node = (await api(AVAILABLE, {"wanted": True})).data["all"]["nodes"][0]

    assert node["availability"] == {"isAvailable": True, "quantity": 5}


async def test_more_than_a_number_can_say_is_the_greatest_number(api, database, shop):
    product, variant = await factories.sellable(database, shop, on_hand=2_147_483_647)
    second = await factories.warehouse(database, shop, shop.default_channel_id)
    await factories.stock(database, shop, variant, warehouse_id=second.id, on_hand=2_147_483_647)
    other = await factories.variant(database, shop, product)
    await factories.stock(database, shop, other, on_hand=2_147_483_647)

    node = (await api(AVAILABLE, {"wanted": True})).data["all"]["nodes"][0]

    assert node["availability"] == {"isAvailable": True, "quantity": 2_147_483_647}


FILTERED = """
query($filter: ProductFilterInput) {
  products(filter: $filter) { totalCount nodes { id } facets { values { count } } }
}
"""
COLOR = {"attribute": "color", "values": ["red"]}


@pytest.mark.parametrize(
    "impossible",
    [
        {"price": {"minimum": "20", "maximum": "10"}},
        {"attributes": [{"attribute": "size", "range": {"minimum": 5, "maximum": 1}}]},
        {"price": {"minimum": "1.999"}},
        {"price": {"minimum": "-1"}},
        {"price": {"maximum": "1e3"}},
        {"price": {"maximum": ""}},
        {"price": {"maximum": "1000000000000000000"}},
        {"rating": 0},
        {"rating": 5.1},
        {"rating": -1e308},
        {"attributes": [{"attribute": "color"}]},
        {"attributes": [{"attribute": "color", "values": ["red"], "boolean": True}]},
        {"attributes": [{"attribute": "size", "range": {"minimum": 1e300}}]},
        {"attributes": [COLOR] * 11},
        {"attributes": [{"attribute": "color", "values": ["red"] * 101}]},
        {"tags": ["new"] * 101},
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(api, database, shop, impossible):
    await factories.sellable(database, shop)

    answer = await api(FILTERED, {"filter": impossible})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.body["data"] is None
    assert answer.statements <= 1


@pytest.mark.parametrize(
    "unmet",
    [
        {"vendor": "nobody"},
        {"tags": ["x" * 100_000]},
        {"price": {"minimum": "9999999999999.99"}},
        {"attributes": [{"attribute": "color", "values": []}]},
        {"attributes": [{"attribute": "no-such-attribute", "boolean": False}]},
        {"attributes": [COLOR] * 10},
    ],
)
async def test_a_filter_that_nothing_meets_finds_nothing(api, database, shop, unmet):
    await factories.sellable(database, shop)

    assert (await api(FILTERED, {"filter": unmet})).data["products"] == {"totalCount": 0, "nodes": [], "facets": []}


async def test_a_value_on_several_variants_counts_their_product_once(api, database, shop):
    color = await factories.attribute(database, shop, name="Color")
    red = await factories.attribute_value(database, shop, color, name="Red")
    blue = await factories.attribute_value(database, shop, color, name="Blue")
    for value, variants in ((red, 3), (blue, 1), (blue, 1)):
        product, variant = await factories.sellable(database, shop)
        await factories.assignment(database, shop, variant, value)
        for _ in range(variants - 1):
            another = await factories.variant(database, shop, product)
            await factories.assignment(database, shop, another, value)
    query = "{ products { facets { attribute { name } values { value { name } count } } } }"

    facets = (await api(query)).data["products"]["facets"]

    values = [{"value": {"name": "Blue"}, "count": 2}, {"value": {"name": "Red"}, "count": 1}]
    assert facets == [{"attribute": {"name": "Color"}, "values": values}]
