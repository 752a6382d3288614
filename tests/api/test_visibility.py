"""What shoppers see, and what staff see beside it: channels, languages, drafts and dates."""

from datetime import UTC, datetime, timedelta

import pytest

from core.ids import encode_global_id
from tests import factories

SEEN = """
query Seen($id: ID!, $slug: String!, $ids: [ID!]!, $sku: String!) {
  byId: product(id: $id) { name }
  bySlug: product(slug: $slug) { name }
  node(id: $id) { id }
  nodes(ids: $ids) { id }
  products { totalCount nodes { name } }
  variant(sku: $sku) { name product { name } }
}
"""


async def seen(api, product, variant, role=None):
    """Tell whether a product and its variant are seen, which must be so on every way to them or on none."""
    product_id, variant_id = encode_global_id("Product", product.id), encode_global_id("Variant", variant.id)
    variables = {"id": product_id, "slug": product.slug, "ids": [product_id, variant_id], "sku": variant.sku}
    data = (await api(SEEN, variables, role=role)).data
    ways = [data["byId"], data["bySlug"], data["node"], *data["nodes"], data["variant"]]
    listed = data["products"]["nodes"]
    assert data["products"]["totalCount"] == len(listed)
    assert len({each is not None for each in [*ways, *(listed or [None])]}) == 1
    return bool(listed)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (({}, {}), (True, True)),
        (({"status": "DRAFT"}, {}), (False, True)),
        (({"status": "ARCHIVED"}, {}), (False, True)),
        (({}, {"is_published": False}), (False, True)),
        (({}, {"available_from": datetime.now(UTC) + timedelta(days=1)}), (False, True)),
        (({}, {"available_from": datetime.now(UTC) - timedelta(days=1)}), (True, True)),
        (({"deleted_at": datetime.now(UTC)}, {}), (False, False)),
    ],
    ids=["on sale", "draft", "archived", "unpublished", "scheduled", "released", "deleted"],
)
async def test_a_product_is_seen_by_shoppers_and_staff(api, database, shop, columns, expected):
    of_product, of_listing = columns
    product = await factories.product(database, shop, name="Shirt", **of_product)
    variant = await factories.variant(database, shop, product)
    await factories.listing(database, shop, variant, **of_listing)
    shoppers, staff = expected

    for role in (None, "customer"):
        assert await seen(api, product, variant, role) is shoppers
    for role in ("owner", "catalogue", "inventory", "support"):
        assert await seen(api, product, variant, role) is staff


async def test_what_hangs_on_a_hidden_product_is_hidden(api, database, shop):
    hidden = await factories.product(database, shop, status="DRAFT")
    shown, _ = await factories.sellable(database, shop)
    media = await factories.media(database, shop, hidden)
    review = await factories.review(database, shop, hidden)
    await factories.relation(database, shop, shown, hidden)
    await factories.collection(database, shop, hidden, slug="picks")
    ids = [encode_global_id("Media", media.id), encode_global_id("Review", review.id)]
    query = """
    query($ids: [ID!]!) {
      nodes(ids: $ids) { id }
      products { nodes { related { id } } }
      collection(slug: "picks") { products { totalCount nodes { id } } }
    }
    """

    shopper, staff = (await api(query, {"ids": ids})).data, (await api(query, {"ids": ids}, role="support")).data

    assert shopper["nodes"] == [None, None]
    assert shopper["products"]["nodes"] == [{"related": []}]
    assert shopper["collection"]["products"] == {"totalCount": 0, "nodes": []}
    assert all(staff["nodes"])
    assert [len(node["related"]) for node in staff["products"]["nodes"]] == [1, 0]
    assert staff["collection"]["products"]["totalCount"] == 1


async def test_an_unpublished_collection_is_for_staff(api, database, shop):
    product, _ = await factories.sellable(database, shop)
    hidden = await factories.collection(database, shop, product, slug="secret", is_published=False)
    variables = {"id": encode_global_id("Collection", hidden.id)}
    query = """
    query($id: ID!) {
      collection(slug: "secret") { id }
      node(id: $id) { id }
      collections { totalCount nodes { id } }
      products { nodes { collections { id } } }
    }
    """

    shopper, staff = (await api(query, variables)).data, (await api(query, variables, role="support")).data

    assert shopper == {
        "collection": None,
        "node": None,
        "collections": {"totalCount": 0, "nodes": []},
        "products": {"nodes": [{"collections": []}]},
    }
    assert staff["collection"] == staff["node"] == {"id": variables["id"]}
    assert staff["collections"]["totalCount"] == 1
    assert staff["products"]["nodes"] == [{"collections": [{"id": variables["id"]}]}]


PRICED = """
query Priced($channel: String, $filter: ProductFilterInput) {
  products(channel: $channel, filter: $filter) {
    nodes {
      name
      priceRange { minimum { amount currency } maximum { amount currency } }
      availability { isAvailable quantity }
      variants { price { amount currency } compareAtPrice { amount } availability { isAvailable quantity } }
    }
  }
}
"""


async def test_each_channel_has_its_own_prices_stock_and_products(api, database, shop):
    far = await factories.warehouse(database, shop)
    outlet = await factories.channel(database, shop, slug="outlet", currency="JPY", warehouse_id=far.id)
    product, variant = await factories.sellable(database, shop, name="Shirt", price_minor=1_950, on_hand=3)
    await factories.listing(database, shop, variant, channel_id=outlet.id, price_minor=900, compare_at_minor=1_200)
    await factories.sellable(database, shop, name="Elsewhere")
    await factories.stock(database, shop, variant, warehouse_id=far.id, on_hand=40)

    default = (await api(PRICED, {"filter": {"text": "Shirt"}})).data["products"]["nodes"]
    other = (await api(PRICED, {"channel": "outlet"})).data["products"]["nodes"]

    assert default == [
        {
            "name": "Shirt",
            "priceRange": {
                "minimum": {"amount": "19.50", "currency": "USD"},
                "maximum": {"amount": "19.50", "currency": "USD"},
            },
            "availability": {"isAvailable": True, "quantity": 3},
            "variants": [
                {
                    "price": {"amount": "19.50", "currency": "USD"},
                    "compareAtPrice": None,
                    "availability": {"isAvailable": True, "quantity": 3},
                }
            ],
        }
    ]
    assert [node["name"] for node in other] == [product.name]
    assert other[0]["priceRange"]["minimum"] == {"amount": "900", "currency": "JPY"}
    assert other[0]["variants"][0]["compareAtPrice"] == {"amount": "1200"}
    assert other[0]["availability"] == {"isAvailable": True, "quantity": 40}


async def test_prices_of_a_filter_are_in_the_currency_of_the_channel(api, database, shop):
    yen = await factories.channel(database, shop, slug="yen", currency="JPY")
    _, variant = await factories.sellable(database, shop, price_minor=1_950)
    await factories.listing(database, shop, variant, channel_id=yen.id, price_minor=900)
    exactly = {"filter": {"price": {"minimum": "900", "maximum": "900"}}}

    assert len((await api(PRICED, {"channel": "yen", **exactly})).data["products"]["nodes"]) == 1
    assert (await api(PRICED, exactly)).data["products"]["nodes"] == []
    broken = await api(PRICED, {"channel": "yen", "filter": {"price": {"minimum": "900.5"}}})
    assert broken.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("channel", ["unknown", "", "'", "default "])
async def test_a_channel_that_is_not_there_is_refused(api, channel):
    answer = await api(PRICED, {"channel": channel})

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.body["errors"][0]["extensions"]["argument"] == "channel"


async def test_two_fields_of_one_operation_see_two_channels(api, database, shop):
    outlet = await factories.channel(database, shop, slug="outlet")
    _, variant = await factories.sellable(database, shop, price_minor=500)
    await factories.listing(database, shop, variant, channel_id=outlet.id, price_minor=400)
    query = """
    { a: products { nodes { variants { price { amount } } } }
      b: products(channel: "outlet") { nodes { variants { price { amount } } } } }
    """

    data = (await api(query)).data

    assert [data[name]["nodes"][0]["variants"][0]["price"]["amount"] for name in "ab"] == ["5.00", "4.00"]


NAMED = """
query Named($locale: String) {
  products(first: 5, locale: $locale) {
    nodes {
      name description seoTitle category { name } variants { name }
      attributes { attribute { name } value { name } }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        (None, ("Shirt", "Soft", None)),
        ("en", ("Shirt", "Soft", None)),
        ("de", ("Hemd", "Weich", None)),
        ("de-AT", ("Leiberl", "Weich", None)),
        ("de-CH", ("Hemd", "Weich", None)),
        ("fr", ("Shirt", "Soft", None)),
        ("xx-Latn-YY", ("Shirt", "Soft", None)),
    ],
)
async def test_texts_are_in_the_language_asked_for_where_there_is_one(api, database, shop, locale, expected):
    category = await factories.category(database, shop, name="Shirts")
    product, variant = await factories.sellable(
        database, shop, name="Shirt", description="Soft", category_id=category.id
    )
    color = await factories.attribute(database, shop, name="Color")
    red = await factories.attribute_value(database, shop, color, name="Red")
    await factories.assignment(database, shop, product, red)
    await factories.translation(database, shop, product, "de", name="Hemd", description="Weich")
    await factories.translation(database, shop, product, "de-AT", name="Leiberl")
    for row in (category, variant, color, red):
        await factories.translation(database, shop, row, "de", name="Auf Deutsch")

    node = (await api(NAMED, {"locale": locale})).data["products"]["nodes"][0]

    is_german = (locale or "").startswith("de")
    assert (node["name"], node["description"], node["seoTitle"]) == expected
    assert node["category"]["name"] == ("Auf Deutsch" if is_german else "Shirts")
    assert node["variants"] == [{"name": "Auf Deutsch" if is_german else "Variant"}]
    assert node["attributes"] == [
        {
            "attribute": {"name": "Auf Deutsch" if is_german else "Color"},
            "value": {"name": "Auf Deutsch" if is_german else "Red"},
        }
    ]


@pytest.mark.parametrize("locale", ["", "d", "DE", "de_AT", "de-", "de-AT-x-y-z-a", "'", "x" * 10_000])
async def test_what_is_no_locale_is_refused(api, locale):
    assert (await api(NAMED, {"locale": locale})).codes == ["BAD_USER_INPUT"]


async def test_only_staff_may_filter_by_status(api, database, shop):
    await factories.product(database, shop, name="Draft", status="DRAFT")
    await factories.sellable(database, shop)
    query = "{ products(filter: {status: DRAFT}) { nodes { name status } } }"

    assert (await api(query)).codes == ["UNAUTHENTICATED"]
    assert (await api(query, role="customer")).codes == ["FORBIDDEN"]
    for role in ("owner", "support"):
        assert (await api(query, role=role)).data["products"]["nodes"] == [{"name": "Draft", "status": "DRAFT"}]


GUARDED = {
    "listings": ("{ products(first: 2) { nodes { variants { listings { cost { amount } } } } } }", "catalogue:read"),
    "stockLevels": ("{ products(first: 2) { nodes { variants { stockLevels { onHand } } } } }", "inventory:read"),
    "translations": ("{ products(first: 2) { nodes { translations { value } } } }", "catalogue:read"),
    "warehouses": ("{ warehouses { nodes { slug } } }", "inventory:read"),
    "reviews": ("{ reviews { nodes { id } } }", "reviews:moderate"),
}


@pytest.mark.parametrize(("query", "permission"), GUARDED.values(), ids=GUARDED)
async def test_guarded_fields_ask_for_their_permission(api, database, shop, query, permission):
    product, _ = await factories.sellable(database, shop)
    await factories.translation(database, shop, product, "de", name="Hemd")
    await factories.review(database, shop, product, status="PENDING")
    allowed = {
        "catalogue:read": {"owner", "catalogue", "inventory", "support"},
        "inventory:read": {"owner", "catalogue", "inventory", "support"},
        "reviews:moderate": {"owner", "catalogue"},
    }[permission]

    assert set((await api(query)).codes) == {"UNAUTHENTICATED"}
    for role in ("customer", "owner", "catalogue", "inventory", "support"):
        answer = await api(query, role=role)
        assert set(answer.codes) == (set() if role in allowed else {"FORBIDDEN"}), role


async def test_listings_and_warehouses_are_nobody_elses_nodes(api, database, shop):
    _, variant = await factories.sellable(database, shop)
    listing = await factories.listing(
        database, shop, variant, channel_id=(await factories.channel(database, shop)).id, cost_minor=1
    )
    warehouse = await factories.warehouse(database, shop)
    ids = [encode_global_id("Listing", listing.id), encode_global_id("Warehouse", warehouse.id)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert (await api(query, {"ids": ids})).data["nodes"] == [None, None]
    assert (await api(query, {"ids": ids}, role="customer")).data["nodes"] == [None, None]
    assert (await api(query, {"ids": ids}, role="support")).data["nodes"] == [{"id": each} for each in ids]


async def test_a_guarded_field_spares_the_rest_of_the_answer(api, database, shop):
    _, variant = await factories.sellable(database, shop, name="Shirt")

    answer = await api("{ products(first: 2) { nodes { name variants { sku stockLevels { onHand } } } } }")

    assert answer.codes == ["UNAUTHENTICATED"]
    assert answer.body["data"]["products"]["nodes"] == [
        {"name": "Shirt", "variants": [{"sku": variant.sku, "stockLevels": None}]}
    ]
