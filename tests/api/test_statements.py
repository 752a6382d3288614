"""How many statements the pages of a storefront take, exactly: folded, by loaders, and by graphql-core."""

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
    variants(first: 24) { sku price { amount } attributes { attribute { name } value { name } } }
    availability { isAvailable quantity }
    related { name slug media(first: 1) { url } }
    reviews(first: 5) { edges { node { rating title author { name } } } pageInfo { hasNextPage } }
  }
}
"""


@pytest.fixture(scope="module")
async def shelf(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), 24)


EXECUTORS = pytest.mark.parametrize("executor", ["compiled", "loaders", "reference"])


async def ask(api, query, variables=None, *, executor, role=None):
    return await api(query, variables, role=role, **{"Galleria-Executor": executor})


@EXECUTORS
async def test_a_listing_takes_one_folded_and_six_by_loaders(api, shelf, executor):
    answer = await ask(api.of(shelf.shop), LISTING, executor=executor)

    # By loaders: the page, categories, images, variants, prices, stock.
    assert answer.statements == (1 if executor == "compiled" else 6)
    assert len(answer.data["products"]["nodes"]) == 24


@EXECUTORS
async def test_the_total_takes_one_more(api, shelf, executor):
    answer = await ask(api.of(shelf.shop), LISTING.replace("pageInfo", "totalCount pageInfo"), executor=executor)

    assert answer.statements == (2 if executor == "compiled" else 7)
    assert answer.data["products"]["totalCount"] == 24


@EXECUTORS
async def test_a_product_in_full_takes_one_folded_and_fourteen_by_loaders(api, shelf, executor):
    answer = await ask(
        api.of(shelf.shop), DETAIL, {"slug": shelf.first("product").slug}, executor=executor, role="owner"
    )

    # By loaders: the product; its media; its assignments, their attributes and values; variants, their prices, their
    # assignments, and the attributes and values that the product has not; stock; related products and their images;
    # reviews.
    product = answer.data["product"]
    assert answer.statements == (1 if executor == "compiled" else 14)
    assert len(product["variants"]) == 24
    assert len(product["attributes"]) == 20
    assert len(product["related"]) == 8
    assert len(product["reviews"]["edges"]) == 5


@EXECUTORS
async def test_a_listing_in_another_channel_and_language_takes_one_more_for_the_channel(api, shelf, executor):
    channel = shelf.rows["channel"][1].slug
    query = LISTING.replace("(first: 24)", f'(first: 24, channel: "{channel}", locale: "de-AT")')

    answer = await ask(api.of(shelf.shop), query, executor=executor)

    assert answer.statements == (2 if executor == "compiled" else 7)
    assert [node["name"] for node in answer.data["products"]["nodes"]] == ["Auf Deutsch"]


async def test_a_text_is_compiled_at_its_second_sight(api, shelf):
    query = f"# {shelf.shop.slug}\n{LISTING}"

    answers = [await api.of(shelf.shop)(query) for _ in range(2)]

    assert [answer.statements for answer in answers] == [6, 1]
    assert answers[0].data == answers[1].data


async def test_equal_reads_below_different_fields_are_made_once(api, shelf):
    query = "{ a: products { nodes { category { name } } } b: categories { name } }"

    answer = await ask(api.of(shelf.shop), query, executor="loaders")

    assert answer.statements == 3


async def test_one_statement_a_root_field(api, shelf):
    query = "{ a: products { nodes { category { name } } } b: categories { name children { name } } }"

    answer = await ask(api.of(shelf.shop), query, executor="compiled")

    assert answer.statements == 2


async def test_nothing_is_asked_for_what_needs_no_rows(api):
    answer = await api("{ shop { slug name defaultLocale defaultCurrency defaultCurrencyDecimals } }")

    assert answer.statements == 0
