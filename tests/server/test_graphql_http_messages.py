"""What clients are told of bad input, in words that suit any language."""

import pytest

from tests.server.synthetic import only_error, post, serving


@pytest.fixture(scope="module")
async def server():
    async with serving() as synthetic:
        yield synthetic


@pytest.fixture
async def client(server):
    async with server.client() as client:
        yield client


@pytest.mark.parametrize(
    ("type_name", "value", "told"),
    [
        ("Int!", None, "Expected value of non-null type 'Int!' not to be null."),
        ("Int", True, "Int cannot represent non-integer value."),
        ("Int", {"a": None}, "Int cannot represent non-integer value."),
        ("Int", 2**40, "Int cannot represent non 32-bit signed integer value."),
        ("ID", [True], "ID cannot represent value."),
        ("String", False, "String cannot represent a non string value."),
        ("Filter", {"bogus": 1}, "Expected value of type 'Filter' not to include unknown field 'bogus'."),
        ("Filter", "x", "Expected value of type 'Filter' to be an object."),
    ],
)
async def test_variables_are_spoken_of_as_json_has_them(client, type_name, value, told):
    fields = {"Int": "double(n: $v)", "ID": "echo(value: $v)", "String": "hello(name: $v)"}
    field = fields.get(type_name.rstrip("!"), "filtered(filter: $v)")
    response = await post(client, f"query ($v: {type_name}) {{ {field} }}", variables={"v": value})
    error = only_error(response)
    assert error["message"] == f"Variable '$v' has invalid value: {told}"
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_literals_are_spoken_of_alike(client):
    assert only_error(await post(client, "{ ask(statements: null, rows: 1) }"))["message"] == (
        "Expected value of non-null type 'Int!' not to be null."
    )


@pytest.mark.parametrize("name", ["variables", "extensions"])
async def test_a_parameter_that_is_no_json_is_named(client, name):
    response = await client.get(f"/graphql?query={{hello}}&{name}=x", headers={"graphql-require-preflight": "1"})
    assert only_error(response)["message"].startswith(f"The parameter {name} is not valid JSON in UTF-8;")


async def test_a_body_that_is_no_json_is_named(client):
    response = await client.post("/graphql", content=b"x", headers={"content-type": "application/json"})
    assert only_error(response)["message"].startswith("The body is not valid JSON in UTF-8;")


async def test_subscriptions_are_not_promised_elsewhere(client):
    message = only_error(await post(client, "subscription { ticks }"))["message"]
    assert message.startswith("Subscriptions are not served here")
