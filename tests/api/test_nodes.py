"""Objects by their ids, and by their other names."""

import base64

import pytest

from core.ids import encode_global_id, new_id
from tests import factories
from tests.api.catalogues import catalogue
from tests.api.isolation import NODE_TYPES

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


@pytest.fixture(scope="module")
async def made(database):
    return await catalogue(database, await factories.shop(database), 2)


async def test_every_type_is_found_by_its_id_in_the_order_asked_for(api, made):
    ids = [made.id_of(name) for name in reversed(NODE_TYPES)]
    asked = api.of(made.shop)

    found = (await asked(NODES, {"ids": [*ids, ids[0]]}, role="owner")).data["nodes"]

    expected = [{"__typename": name, "id": row_id} for name, row_id in zip(reversed(NODE_TYPES), ids, strict=True)]
    assert found == [*expected, expected[0]]
    for each in expected:
        assert (await asked(NODE, {"id": each["id"]}, role="owner")).data["node"] == each


def spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


PRODUCT = new_id()
MALFORMED = [
    "",
    "x",
    "é",
    "日本",
    " ",
    "null",
    "1",
    "=" * 8,
    "A" * 100_000,
    str(PRODUCT),
    spelled(PRODUCT.bytes),
    spelled(b"Product:"),
    spelled(b"Product:" + PRODUCT.bytes[:-1]),
    spelled(b"Product:" + PRODUCT.bytes + b"x"),
    spelled(b"\xff:" + PRODUCT.bytes),
    encode_global_id("product", PRODUCT),
    encode_global_id("Query", PRODUCT),
    encode_global_id("Shop", PRODUCT),
    encode_global_id("", PRODUCT),
    encode_global_id("Product", PRODUCT) + "=",
    encode_global_id("Product", PRODUCT) + "\n",
    " " + encode_global_id("Product", PRODUCT),
    "'; DROP TABLE product; --",
]


@pytest.mark.parametrize("malformed", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_id_is_nobodys(api, malformed):
    for query, name in (
        (NODE, "node"),
        *((f"query($id: ID!) {{ {each}(id: $id) {{ id }} }}", each) for each in FIELDS),
    ):
        answer = await api(query, {"id": malformed}, role="owner")
        assert answer.data == {name: None}
    nodes = await api(NODES, {"ids": [malformed, malformed]}, role="owner")
    assert nodes.data == {"nodes": [None, None]}
    listed = await api("query($id: ID!) { products(filter: {category: $id}) { totalCount } }", {"id": malformed})
    assert listed.data == {"products": {"totalCount": 0}}


FIELDS = ("product", "variant", "category", "collection")


async def test_an_id_of_another_type_is_nobodys(api, made):
    asked = api.of(made.shop)
    for field in FIELDS:
        for type_name in NODE_TYPES:
            answer = await asked(f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}", {"id": made.id_of(type_name)})
            assert (answer.data[field] is not None) == (type_name.lower() == field)


async def test_two_hundred_and_fifty_ids_are_the_most(api, made):
    asked = api.of(made.shop)
    one = made.id_of("Product")

    assert len((await asked(NODES, {"ids": [one] * 250})).data["nodes"]) == 250
    assert (await asked(NODES, {"ids": []})).data["nodes"] == []
    refused = await asked(NODES, {"ids": [one] * 251})
    assert refused.codes == ["BAD_USER_INPUT"]
    assert refused.statements == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        '(id: "x", slug: "y")',
        '(slug: "x", externalRef: "y")',
        '(id: "x", slug: "y", externalRef: "z")',
        "(id: null, slug: null)",
    ],
)
async def test_a_product_is_asked_for_by_one_name_exactly(api, arguments):
    answer = await api(f"{{ product{arguments} {{ id }} }}")

    assert answer.codes == ["BAD_USER_INPUT"]
    assert "exactly one of id, slug, externalRef" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("field", "argument", "column"),
    [
        ("product", "slug", "slug"),
        ("product", "externalRef", "external_ref"),
        ("variant", "sku", "sku"),
        ("category", "slug", "slug"),
        ("collection", "slug", "slug"),
    ],
)
async def test_what_has_a_name_is_found_by_it_and_by_nothing_like_it(api, made, field, argument, column):
    name = getattr(made.first(field), column)
    query = f"query($name: String) {{ {field}({argument}: $name) {{ id }} }}"
    asked = api.of(made.shop)

    assert (await asked(query, {"name": name})).data[field] == {"id": made.id_of(field.title())}
    for other in (f"{name} ", name[:-1], f"{name[:-1]}%", name.swapcase(), "", "x" * 100_000, "' OR true --"):
        assert (await asked(query, {"name": other})).data[field] is None


TEXT_ARGUMENTS = [
    "product(slug: $text) { id }",
    "product(externalRef: $text) { id }",
    "variant(sku: $text) { id }",
    "category(slug: $text) { id }",
    "collection(slug: $text) { id }",
    "products(channel: $text) { totalCount }",
    "products(locale: $text) { totalCount }",
    "products(after: $text) { totalCount }",
    "products(filter: {text: $text}) { totalCount }",
    "products(filter: {vendor: $text}) { totalCount }",
    "products(filter: {tags: [$text]}) { totalCount }",
    "products(filter: {price: {minimum: $text}}) { totalCount }",
    "products(filter: {attributes: [{attribute: $text, boolean: true}]}) { totalCount }",
    'products(filter: {attributes: [{attribute: "a", values: [$text]}]}) { totalCount }',
]


@pytest.mark.parametrize("field", TEXT_ARGUMENTS)
async def test_a_text_that_cannot_be_stored_is_the_clients_mistake(api, made, field):
    asked = api.of(made.shop)
    query = f"query($text: String!) {{ asked: {field} other: products {{ nodes {{ id }} }} }}"

    for answer in (
        await asked(query, {"text": "a\0b"}),
        await asked(query.replace("query($text: String!)", "").replace("$text", '"a\\u0000b"')),
    ):
        assert answer.codes == ["BAD_USER_INPUT"]
        # What else the operation asks for is there, unless the refused field must not be null.
        assert not answer.body.get("data") or len(answer.body["data"]["other"]["nodes"]) == 2


@pytest.mark.parametrize("field", TEXT_ARGUMENTS)
async def test_half_a_character_is_refused_before_anything_runs(api, field):
    variables = b'{"query": "query($text: String!) { %s }", "variables": {"text": "\\ud800"}}'
    literal = b'{"query": "{ %s }"}'
    bodies = (
        variables % field.replace('"', '\\"').encode(),
        literal % field.replace('"', '\\"').replace("$text", '\\"\\\\ud800\\"').encode(),
    )
    for body in bodies:
        answer = await api.client.post(
            "/graphql", content=body, headers={"Content-Type": "application/json", "Galleria-Shop": api.shop.slug}
        )
        codes = [error["extensions"]["code"] for error in answer.json()["errors"]]
        assert codes in (["BAD_REQUEST"], ["GRAPHQL_PARSE_FAILED"], ["BAD_USER_INPUT"])
