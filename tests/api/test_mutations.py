"""Writing products: the pattern that every other mutation follows."""

import dataclasses

import httpx
import pytest

from tests import factories
from tests.api.mutating import id_of, operation, unchanged, write

CREATE = """
mutation ($input: ProductCreateInput!) {
  productCreate(input: $input) {
    product { id name slug status version tags }
    userErrors { code message path ... on Duplicate { field existingId } }
  }
}
"""
UPDATE = """
mutation ($id: ID!, $input: ProductUpdateInput!, $version: Int) {
  productUpdate(id: $id, input: $input, expectedVersion: $version) {
    product { id name version }
    userErrors { code path ... on VersionConflict { currentVersion } }
  }
}
"""


async def test_a_product_is_made_with_a_slug_of_its_name(api):
    first = await api(CREATE, {"input": {"name": "Blue Shirt", "tags": ["a", "a", "b"]}}, role="catalogue")
    second = await api(CREATE, {"input": {"name": "Blue Shirt"}}, role="catalogue")

    product = first.data["productCreate"]["product"]
    assert product["slug"] == "blue-shirt"
    assert (product["status"], product["version"], product["tags"]) == ("DRAFT", 1, ["a", "b"])
    assert second.data["productCreate"]["product"]["slug"] == "blue-shirt-2"


async def test_a_taken_slug_is_refused_and_names_the_other_product(api):
    first = await api(CREATE, {"input": {"name": "Shirt", "slug": "shirt"}}, role="catalogue")

    second = await api(CREATE, {"input": {"name": "Other", "slug": "shirt"}}, role="catalogue")

    payload = second.data["productCreate"]
    assert payload["product"] is None
    assert payload["userErrors"] == [
        {
            "code": "DUPLICATE",
            "message": "There is another with this slug already.",
            "path": ["input", "slug"],
            "field": "slug",
            "existingId": first.data["productCreate"]["product"]["id"],
        }
    ]


async def test_a_stale_version_is_refused_and_nothing_changes(api):
    made = (await api(CREATE, {"input": {"name": "Shirt"}}, role="catalogue")).data["productCreate"]["product"]
    await api(UPDATE, {"id": made["id"], "input": {"name": "Shirt 2"}, "version": 1}, role="catalogue")

    stale = await api(UPDATE, {"id": made["id"], "input": {"name": "Shirt 3"}, "version": 1}, role="catalogue")

    payload = stale.data["productUpdate"]
    assert payload["product"] is None
    assert payload["userErrors"] == [{"code": "VERSION_CONFLICT", "path": ["expectedVersion"], "currentVersion": 2}]
    now = await api("query ($id: ID!) { product(id: $id) { name version } }", {"id": made["id"]}, role="catalogue")
    assert now.data["product"] == {"name": "Shirt 2", "version": 2}


async def test_a_shopper_may_not_write(api):
    answer = await api(CREATE, {"input": {"name": "Shirt"}})

    assert answer.codes == ["UNAUTHENTICATED"]


async def test_bulk_applies_all_or_nothing(api, database, shop):
    await factories.product(database, shop, slug="taken")
    mutation = """
    mutation ($inputs: [ProductCreateInput!]!, $policy: BulkErrorPolicy!) {
      productBulkCreate(inputs: $inputs, errorPolicy: $policy) {
        applied results { product { slug } userErrors { code } }
      }
    }
    """
    inputs = [{"name": "A", "slug": "a"}, {"name": "B", "slug": "taken"}, {"name": "C", "slug": "c"}]

    nothing = await api(mutation, {"inputs": inputs, "policy": "ALL_OR_NOTHING"}, role="owner")
    some = await api(mutation, {"inputs": inputs, "policy": "SKIP_FAILED"}, role="owner")

    assert nothing.data["productBulkCreate"] == {
        "applied": 0,
        "results": [
            {"product": None, "userErrors": [{"code": "NOT_APPLIED"}]},
            {"product": None, "userErrors": [{"code": "DUPLICATE"}]},
            {"product": None, "userErrors": [{"code": "NOT_APPLIED"}]},
        ],
    }
    assert some.data["productBulkCreate"] == {
        "applied": 2,
        "results": [
            {"product": {"slug": "a"}, "userErrors": []},
            {"product": None, "userErrors": [{"code": "DUPLICATE"}]},
            {"product": {"slug": "c"}, "userErrors": []},
        ],
    }


@pytest.mark.parametrize("count", [0, 250])
async def test_bulks_take_up_to_250(api, base_url, database, shop, count):
    product = await factories.product(database, shop)
    inputs = [{"productId": id_of(product), "name": f"No {number}"} for number in range(count)]

    async with httpx.AsyncClient(base_url=base_url, timeout=15) as patient:
        asked = dataclasses.replace(api, client=patient)
        payload = await write(asked, "variantBulkCreate", "variant { name position }", inputs=inputs)

    assert payload["applied"] == count
    assert [each["variant"] for each in payload["results"]] == [
        {"name": f"No {number}", "position": number} for number in range(count)
    ]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("productBulkCreate", {"inputs": [{"name": "New"}] * 251}),
        ("productBulkUpdate", {"changes": [{"id": "x", "input": {}}] * 251}),
        ("productBulkDelete", {"ids": ["x"] * 251}),
        ("reviewBulkModerate", {"ids": ["x"] * 251, "status": "APPROVED"}),
    ],
)
async def test_a_bulk_of_251_is_too_large(api, database, shop, name, arguments):
    async with unchanged(database, shop):
        answer = await api(operation(name, "__typename", arguments), arguments, role="owner")

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.body["errors"][0]["extensions"]["argument"] == next(iter(arguments))


async def test_of_one_row_twice_in_a_bulk_the_second_sees_the_first(api, database, shop):
    row = id_of(await factories.product(database, shop))
    twice = [{"id": row, "input": {"name": name}, "expectedVersion": version} for name, version in (("A", 1), ("B", 2))]
    stale = [{"id": row, "input": {"name": name}, "expectedVersion": 3} for name in ("C", "D")]

    done_twice = await write(api, "productBulkUpdate", "product { name version }", changes=twice)
    refused = await write(api, "productBulkUpdate", changes=stale, errorPolicy="SKIP_FAILED")
    deleted = await write(api, "productBulkDelete", "deletedId", ids=[row, row], errorPolicy="SKIP_FAILED")

    # What a payload shows is read once all is done, so both show the end.
    assert [each["product"] for each in done_twice["results"]] == [{"name": "B", "version": 3}] * 2
    assert refused["applied"] == 1
    [error] = refused["results"][1]["userErrors"]
    assert (error["code"], error["path"]) == ("VERSION_CONFLICT", ["changes", "1", "expectedVersion"])
    assert error["currentVersion"] == 4
    assert [each["deletedId"] for each in deleted["results"]] == [row, None]
    assert deleted["results"][1]["userErrors"][0]["path"] == ["ids", "1"]


async def test_mutations_of_one_operation_follow_each_other(api):
    query = """
    mutation ($ids: [ID!]!) {
      first: productCreate(input: { name: "Shirt" }) { product { slug } userErrors { code } }
      refused: productCreate(input: { name: "Other", slug: "shirt" }) { product { slug } userErrors { code } }
      second: productCreate(input: { name: "Shirt" }) { product { slug } userErrors { code } }
      wrong: productBulkDelete(ids: $ids) { applied }
    }
    """
    answer = await api(query, {"ids": ["x"] * 251}, role="owner")

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.body["data"] is None
    slugs = '{ shirt: product(slug: "shirt") { slug } second: product(slug: "shirt-2") { slug } }'
    kept = await api(slugs, role="owner")
    assert kept.data == {"shirt": {"slug": "shirt"}, "second": {"slug": "shirt-2"}}


async def test_a_later_mutation_sees_an_earlier_one(api, database, shop):
    row = id_of(await factories.product(database, shop))
    query = """
    mutation ($id: ID!) {
      first: productUpdate(id: $id, input: { name: "A" }, expectedVersion: 1) { product { name version } }
      stale: productUpdate(id: $id, input: { name: "B" }, expectedVersion: 1) { userErrors { code } }
      second: productUpdate(id: $id, input: { name: "C" }, expectedVersion: 2) { product { name version } }
    }
    """
    answer = await api(query, {"id": row}, role="owner")

    assert answer.data == {
        "first": {"product": {"name": "A", "version": 2}},
        "stale": {"userErrors": [{"code": "VERSION_CONFLICT"}]},
        "second": {"product": {"name": "C", "version": 3}},
    }
