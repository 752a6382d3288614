"""Writing products: the pattern that every other mutation follows."""

from tests import factories

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
