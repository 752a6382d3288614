"""How many statements the pages of a storefront take, exactly."""

import pytest

from core.database import Database
from tests import factories
from tests.api.catalogues import Catalogue, catalogue

LISTING = """
{
  products(first: 24) {
    nodes {
      id name slug ratingAverage ratingCount
      category { id name slug }
      media(first: 1) { url alt }
      variants(first: 3) { id sku price { amount currency } availability { isAvailable quantity } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

DETAIL = """
query Detail($slug: String!) {
  product(slug: $slug) {
    id name description ratingAverage
    media(first: 10) { url alt }
    attributes { attribute { name } value { name } }
    variants(first: 100) { sku price { amount } attributes { attribute { name } value { name } } }
    availability { isAvailable quantity }
    related { name slug media(first: 1) { url } }
    reviews(first: 5) { edges { node { rating title author { name } } } pageInfo { hasNextPage } }
  }
}
"""


@pytest.fixture(scope="module")
async def shelf(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), 24)


async def test_a_listing_takes_six(api, shelf):
    answer = await api.of(shelf.shop)(LISTING)

    # The page, categories, images, variants, prices, stock.
    assert answer.statements == 6
    assert len(answer.data["products"]["nodes"]) == 24


async def test_the_total_takes_one_more(api, shelf):
    answer = await api.of(shelf.shop)(LISTING.replace("pageInfo", "totalCount pageInfo"))

    assert answer.statements == 7
    assert answer.data["products"]["totalCount"] == 24


async def test_a_product_in_full_takes_fourteen(api, shelf):
    answer = await api.of(shelf.shop)(DETAIL, {"slug": shelf.first("product").slug})

    # The product; its media; its assignments, their attributes and values; variants, their prices, their assignments,
    # and the attributes and values that the product has not; stock; related products and their images; reviews.
    product = answer.data["product"]
    assert answer.statements == 14
    assert len(product["variants"]) == 24
    assert len(product["attributes"]) == 20
    assert len(product["related"]) == 8
    assert len(product["reviews"]["edges"]) == 5


async def test_a_listing_in_another_channel_and_language_takes_one_more_for_the_channel(api, shelf):
    channel = shelf.rows["channel"][1].slug

    answer = await api.of(shelf.shop)(
        LISTING.replace("(first: 24)", f'(first: 24, channel: "{channel}", locale: "de-AT")')
    )

    assert answer.statements == 7
    assert [node["name"] for node in answer.data["products"]["nodes"]] == ["Auf Deutsch"]


async def test_equal_reads_below_different_fields_are_made_once(api, shelf):
    answer = await api.of(shelf.shop)("{ a: products { nodes { category { name } } } b: categories { name } }")

    assert answer.statements == 3


async def test_nothing_is_asked_for_what_needs_no_rows(api):
    answer = await api("{ shop { slug name defaultLocale defaultCurrency defaultCurrencyDecimals } }")

    assert answer.statements == 0
