"""Reading products."""

from datetime import UTC, datetime

from tests import factories

LISTING = """
query Listing($first: Int) {
  products(first: $first) {
    totalCount
    edges { cursor node {
      id name slug ratingAverage
      category { id name }
      media(first: 1) { url alt }
      variants(first: 3) { id sku price { amount amountMinor currency } availability { isAvailable quantity } }
    } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def test_listing_shows_what_is_for_sale_with_its_price_and_stock(api, shop, database):
    category = await factories.category(database, shop, name="Shirts")
    product, variant = await factories.sellable(
        database, shop, name="Shirt", price_minor=1_950, on_hand=3, category_id=category.id
    )
    await factories.media(database, shop, product, url="/1.jpg", alt="Front")
    await factories.product(database, shop, name="Not for sale")

    answer = await api(LISTING, {"first": 5})

    connection = answer.data["products"]
    assert connection["totalCount"] == 1
    node = connection["edges"][0]["node"]
    assert node["name"] == "Shirt"
    assert node["category"]["name"] == "Shirts"
    assert node["media"] == [{"url": "/1.jpg", "alt": "Front"}]
    assert node["variants"][0]["price"] == {"amount": "19.50", "amountMinor": "1950", "currency": "USD"}
    assert node["variants"][0]["availability"] == {"isAvailable": True, "quantity": 3}
    assert node["variants"][0]["sku"] == variant.sku
    assert connection["pageInfo"]["hasNextPage"] is False


async def test_a_scheduled_product_is_hidden_also_when_one_variant_is_not_listed(api, shop, database):
    product = await factories.product(database, shop)
    listed = await factories.variant(database, shop, product)
    await factories.variant(database, shop, product)
    await factories.listing(database, shop, listed, available_from=datetime(2090, 1, 1, tzinfo=UTC))

    answer = await api("{ products { totalCount } }")

    assert answer.data["products"]["totalCount"] == 0
