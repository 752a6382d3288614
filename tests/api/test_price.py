"""Prices as clients meet them: told with each answer, explained, asked in advance, and refused."""

import os
import re
from pathlib import Path
from random import Random

import pytest
from graphql import OperationType, build_schema

from engine.documents import DocumentStore, Operation
from tests.api.catalogues import catalogue
from tests.engine.operations import Wishes, Writer
from tests.engine.test_attacks import ATTACKS
from tests.engine.test_price_actual import PRINTED, VALUES, unclamped

EXAMPLES = int(os.environ.get("GALLERIA_PRICE_EXAMPLES", "150"))
LISTING = """query ($n: Int!) {
    products(first: $n) {
        totalCount
        nodes { id category { id } media(first: 1) { url } variants(first: 3) { id price { amount } } }
    }
}"""
DEAR = "{ products(first: 100) { nodes { variants(first: 10) { id } } } }"
SERVED = build_schema(PRINTED.read_text(encoding="utf-8"))

pytestmark = pytest.mark.asked_once


DOCUMENTATION = Path(__file__).parents[2] / "docs" / "price.md"


def cost_of(answer):
    return answer.body["extensions"]["cost"]


async def test_an_answer_tells_what_it_might_have_cost_and_what_it_did(api, database, shop):
    await catalogue(database, shop, 2)
    answer = await api(LISTING, {"n": 24})
    assert len(answer.data["products"]["nodes"]) == 2
    cost = cost_of(answer)
    assert cost["requestedQueryCost"] == 2 + 5 + 24 * (1 + 1 + 1 + 3 * 2)
    shown = answer.data["products"]["nodes"]
    below = sum(1 + len(each["media"]) + 2 * len(each["variants"]) for each in shown)
    assert cost["actualQueryCost"] == 2 + 5 + 2 + below
    assert "fields" not in cost


async def test_a_client_may_ask_what_each_field_costs(api):
    answer = await api(LISTING, {"n": 10}, **{"Galleria-Cost-Debug": "1"})
    cost = cost_of(answer)
    assert cost["fields"] == {
        "products": 2,
        "products.totalCount": 5,
        "products.nodes": 10,
        "products.nodes.category": 10,
        "products.nodes.media": 10,
        "products.nodes.variants": 30,
        "products.nodes.variants.price": 30,
    }
    assert sum(cost["fields"].values()) == cost["requestedQueryCost"]


async def test_a_client_may_ask_for_the_price_alone(api):
    answer = await api(LISTING, {"n": 10}, **{"Galleria-Cost-Dry-Run": "1"})
    assert answer.status == 200
    assert answer.body.keys() == {"extensions"}
    assert (cost_of(answer)["requestedQueryCost"], cost_of(answer)["actualQueryCost"]) == (97, None)
    assert answer.statements == 0


async def test_the_price_of_what_is_too_dear_may_be_asked_too(api):
    answer = await api(DEAR, **{"Galleria-Cost-Dry-Run": "1", "Galleria-Cost-Debug": "1"})
    assert cost_of(answer)["requestedQueryCost"] == 1_102
    assert cost_of(answer)["fields"]["products.nodes.variants"] == 1_000


async def test_a_dry_run_writes_nothing(api):
    text = 'mutation { channelCreate(input: {name: "New", currency: "USD"}) { channel { id } } }'
    answer = await api(text, role="owner", **{"Galleria-Cost-Dry-Run": "1"})
    assert cost_of(answer)["requestedQueryCost"] == 11
    assert len((await api("{ channels { id } }")).data["channels"]) == 1


@pytest.mark.parametrize("role", [None, "customer"])
async def test_shoppers_are_refused_beyond_a_thousand_points(api, role):
    answer = await api(DEAR, role=role)
    assert (answer.status, answer.codes) == (400, ["COST_EXCEEDED"])
    (error,) = answer.body["errors"]
    assert error["extensions"]["requestedQueryCost"] == 1_102
    assert error["extensions"]["maximumQueryCost"] == 1_000
    assert "data" not in answer.body
    assert answer.statements == 0


async def test_staff_may_ask_for_more_and_not_for_everything(api):
    assert (await api(DEAR, role="owner")).codes == []
    far = "{ products(first: 100) { nodes { variants(first: 50) { id } } } }"
    answer = await api(far, role="owner")
    assert answer.codes == ["COST_EXCEEDED"]
    assert answer.body["errors"][0]["extensions"]["maximumQueryCost"] == 5_000


async def test_a_bulk_mutation_costs_by_its_elements(api):
    text = """mutation ($inputs: [ProductCreateInput!]!) {
        productBulkCreate(inputs: $inputs) { results { product { id } } }
    }"""
    inputs = [{"name": f"P{number}"} for number in range(3)]
    answer = await api(text, {"inputs": inputs}, role="owner")
    assert (cost_of(answer)["requestedQueryCost"], cost_of(answer)["actualQueryCost"]) == (33, 33)


async def test_the_documented_example_costs_what_is_said(api):
    text = DOCUMENTATION.read_text(encoding="utf-8")
    (example,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    said = int(re.search(r"(\d+) points", example)[1])
    assert cost_of(await api(example))["requestedQueryCost"] == said


async def test_words_to_search_for_cost_ten(api):
    text = "query ($t: String) { products(first: 1, filter: {text: $t}) { nodes { id } } }"
    assert cost_of(await api(text, {"t": "bag"}))["requestedQueryCost"] == 13
    assert cost_of(await api(text))["requestedQueryCost"] == 3


async def test_facets_take_how_many_are_wanted(api, database, shop):
    await catalogue(database, shop, 3)
    text = "query ($n: Int!) { products(first: 1) { facets(first: $n) { values(first: 1) { count value { id } } } } }"
    answer = await api(text, {"n": 2})
    assert cost_of(answer)["requestedQueryCost"] == 2 + 10 + 2 * (1 + 2)
    assert len(answer.data["products"]["facets"]) == 2
    assert all(len(each["values"]) <= 1 for each in answer.data["products"]["facets"])
    assert (await api(text, {"n": 51})).codes == ["BAD_USER_INPUT"]


async def test_translations_take_how_many_are_wanted(api, database, shop):
    made = await catalogue(database, shop, 1)
    write = """mutation ($id: ID!) {
        translationsSet(id: $id, locale: "fr", texts: [{field: "name", value: "Sac"}]) { userErrors { code } }
    }"""
    assert (await api(write, {"id": made.id_of("Product")}, role="owner")).codes == []
    text = "query ($id: ID!, $n: Int!) { product(id: $id) { translations(first: $n) { field } } }"
    answers = [await api(text, {"id": made.id_of("Product"), "n": wanted}, role="owner") for wanted in (1, 250)]
    shown = [len(answer.data["product"]["translations"]) for answer in answers]
    assert shown[0] == 1 < shown[1]
    assert (await api(text, {"id": made.id_of("Product"), "n": 251}, role="owner")).codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("name", ATTACKS)
async def test_attacks_are_refused_through_http_by_the_name_of_their_limit(api, name):
    text, limit = ATTACKS[name]
    answer = await api(text)
    if answer.status == 413:
        assert len(text) >= 1_000_000
        return
    assert (answer.status, answer.codes) == (400, ["LIMIT_EXCEEDED"])
    assert answer.body["errors"][0]["extensions"]["limit"] == limit
    assert answer.statements == 0


async def test_no_answer_of_a_full_shop_costs_more_than_was_said(api, database, shop):
    made = await catalogue(database, shop, 4)
    ids = [made.id_of(name) for name in ("Product", "Variant", "Category", "Collection", "Attribute", "Review")]
    values = {**VALUES, "ID": ids, "Query.nodes.ids": [ids, ids[:1] * 7, []], "String": ["", "default", "de"]}
    store, random, compared = DocumentStore(SERVED), Random(int(shop.id)), 0  # noqa: S311 - data for tests.
    wishes = Wishes(depth=6, size=24, types={OperationType.QUERY: 1}, values=values, spoilt=0)
    while compared < EXAMPLES:
        for written in Writer(SERVED, random, wishes).operations():
            if written.name is not None:
                continue
            answer = await api(written.text, dict(written.variables), role="owner")
            if answer.body.get("data") is None:
                continue
            chosen = store.get(written.text).operation(written.name)
            assert isinstance(chosen, Operation)
            cost = cost_of(answer)
            assert chosen.price.requested(written.variables) == cost["requestedQueryCost"]
            assert unclamped(chosen.price, answer.body["data"], written.variables) == cost["actualQueryCost"], written
            assert cost["actualQueryCost"] <= cost["requestedQueryCost"]
            compared += 1
