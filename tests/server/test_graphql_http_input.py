"""Bad bodies and bad query strings: refused, never a 500, and nothing is written."""

import orjson
import pytest

from core.errors import LimitExceeded
from server.graphql.requests import read_json
from tests.server.synthetic import data_of, serving

LIMIT = 2_000


@pytest.fixture(scope="module")
async def server():
    async with serving(body_limit_bytes=LIMIT) as synthetic:
        yield synthetic


@pytest.fixture
async def client(server):
    async with server.client() as client:
        yield client
    assert server.notes == []
    assert server.reported == []


async def send(client, body: bytes):
    return await client.post("/graphql", content=body, headers={"content-type": "application/json"})


def check_refusal(response, code="BAD_REQUEST", status=400):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    assert error["message"]
    return error


def nested(depth: int) -> bytes:
    return b'{"query":"{ hello }","extensions":' + b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b'{"query": "{ hello }"',
        b'{"query": "{ hello }"} trailing',
        b"\xff\xfe",
        b'{"query": "\xff"}',
        '{"query": "{ hello }"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"query": "{ hello }"}',
        b'{"query": "{ hello }", "variables": {"n": NaN}}',
        b'{"query": "{ hello }", "variables": {"n": Infinity}}',
        b'{"query": "{ hello }", "variables": {"n": 1e999}}',
        b'{"query": "{ hello }", "variables": {"n": "\\ud800"}}',
        b'{"query": "{ hello }", "variables": {"n": "a\0b"}}',
        b"null",
        b"1",
        b'"{ hello }"',
        b"[]",
        b'[{"query": "mutation { note(text: \\"x\\") }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ hello }"]}',
        b'{"query": {"a": 1}}',
        b'{"query": "{ hello }", "variables": "{}"}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "operationName": 1}',
        b'{"query": "{ hello }", "operationName": {}}',
        b'{"query": "{ hello }", "extensions": "x"}',
        b'{"query": "{ hello }", "extensions": [1]}',
        b'{"documentId": 1}',
        b'{"documentId": "sha256:abc"}',
        b'{"documentId": "md5:0"}',
        b'{"query": "{ hello }", "documentId": "sha256:' + b"0" * 64 + b'"}',
    ],
)
async def test_malformed_requests(client, body):
    check_refusal(await send(client, body))


async def test_a_batch_is_told_what_to_do(client):
    error = check_refusal(await send(client, b'[{"query": "{ hello }"}]'))
    assert error["message"] == "Batches are not served; send each operation in a request of its own."


async def test_json_is_refused_beyond_64_levels(client):
    # The request itself is the first level.
    assert data_of(await send(client, nested(63))) == {"hello": "Hello you"}
    for depth in (64, 100):
        error = check_refusal(await send(client, nested(depth)), "LIMIT_EXCEEDED")
        assert error["extensions"]["limit"] == "json_depth"


async def test_json_is_refused_beyond_the_parsers_own_depth():
    async with serving() as server, server.client() as client:
        for depth in (1_000, 5_000, 100_000):
            error = check_refusal(await send(client, nested(depth)), "LIMIT_EXCEEDED")
            assert error["extensions"]["limit"] == "json_depth"
        check_refusal(await send(client, b"[" * 500_000), "LIMIT_EXCEEDED")


async def test_many_shallow_values_are_no_depth(client):
    body = orjson.dumps({"query": "{ hello }", "extensions": {"a": [[] for _ in range(200)]}})
    assert data_of(await send(client, body)) == {"hello": "Hello you"}


async def test_a_deep_input_is_refused_before_it_is_coerced(client):
    value: object = None
    for _ in range(70):
        value = {"all": [value]}
    query = "query ($f: Filter) { filtered(filter: $f) }"
    check_refusal(await send(client, orjson.dumps({"query": query, "variables": {"f": value}})), "LIMIT_EXCEEDED")


async def test_a_body_at_the_limit_is_read(client):
    body = b'{"query":"{ hello }"}'
    assert (await send(client, body.ljust(LIMIT))).status_code == 200
    error = check_refusal(await send(client, body.ljust(LIMIT + 1)), "LIMIT_EXCEEDED", 413)
    assert error["extensions"]["limit"] == "body"


@pytest.mark.parametrize("size", [LIMIT + 1, 5 * LIMIT, 100 * LIMIT])
async def test_a_streamed_body_is_counted_as_it_comes(client, size):
    async def chunks():
        yield b'{"query":"{ hello }"}'
        for _ in range(size // 100):
            yield b" " * 100

    response = await client.post("/graphql", content=chunks(), headers={"content-type": "application/json"})
    check_refusal(response, "LIMIT_EXCEEDED", 413)


async def test_a_body_in_pieces_is_put_together(client):
    async def chunks():
        for byte in b'{"query":"{ hello }"}':
            yield bytes([byte])

    response = await client.post("/graphql", content=chunks(), headers={"content-type": "application/json"})
    assert data_of(response) == {"hello": "Hello you"}


@pytest.mark.parametrize("value", ["99999999999999999999", "-99999999999999999999", "1" * 300, "1e300", "2147483648"])
async def test_numbers_beyond_int_are_input_errors(client, value):
    body = b'{"query": "query ($n: Int) { double(n: $n) }", "variables": {"n": %s}}' % value.encode()
    response = await send(client, body)
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("value", ["99999999999999999999", "18446744073709551615", "1e300", "1.5"])
async def test_huge_numbers_as_ids_are_no_server_error(client, value):
    body = b'{"query": "query ($v: ID) { echo(value: $v) }", "variables": {"v": %s}}' % value.encode()
    response = await send(client, body)
    assert response.status_code == 200
    assert all(e["extensions"]["code"] == "BAD_USER_INPUT" for e in response.json().get("errors", []))


async def test_huge_literals_are_no_server_error(client):
    response = await send(client, orjson.dumps({"query": "{ echo(value: " + "9" * 500 + ") }"}))
    assert response.status_code == 200
    response = await send(client, orjson.dumps({"query": "{ double(n: " + "9" * 500 + ") }"}))
    assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_the_last_of_doubled_keys_counts(client):
    response = await send(client, b'{"query": "{", "query": "{ hello }"}')
    assert data_of(response) == {"hello": "Hello you"}


async def test_null_characters_in_variables_are_refused(client):
    body = b'{"query": "query ($v: ID) { echo(value: $v) }", "variables": {"v": "a\\u0000"}}'
    check_refusal(await send(client, body), "BAD_USER_INPUT")
    escaped = body.replace(b"\\u0000", b"\\\\u0000")
    assert data_of(await send(client, escaped)) == {"echo": "a\\u0000"}


async def test_unknown_members_are_ignored(client):
    response = await send(client, b'{"query": "{ hello }", "id": 1, "extensions": null, "variables": null}')
    assert data_of(response) == {"hello": "Hello you"}


async def test_unknown_variables_are_ignored(client):
    response = await send(client, b'{"query": "{ hello }", "variables": {"x": 1}}')
    assert data_of(response) == {"hello": "Hello you"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "query=",
        "query=%FF",
        "query=%ED%A0%80",
        "query={hello}&query={hello}",
        "query={hello}&variables=x",
        "query={hello}&variables=[]",
        "query={hello}&variables=%FF",
        "query={hello}&extensions=1",
        "&".join(f"a{n}=1" for n in range(30)),
    ],
)
async def test_malformed_query_strings(client, text):
    check_refusal(await client.get(f"/graphql?{text}", headers={"graphql-require-preflight": "1"}))


async def test_query_strings_are_bounded_in_depth(client):
    text = "query={hello}&variables=" + "[" * 65 + "]" * 65
    response = await client.get(f"/graphql?{text}", headers={"graphql-require-preflight": "1"})
    check_refusal(response, "LIMIT_EXCEEDED")


async def test_null_characters_in_query_strings_are_refused(client):
    text = 'query=query($v:ID){echo(value:$v)}&variables={"v":"\\u0000"}'
    response = await client.get(f"/graphql?{text}", headers={"graphql-require-preflight": "1"})
    check_refusal(response, "BAD_USER_INPUT")


async def test_the_server_goes_on_after_all_of_this(client):
    assert data_of(await send(client, b'{"query": "{ hello }"}')) == {"hello": "Hello you"}


@pytest.mark.parametrize(
    ("variables", "which"),
    [
        pytest.param({"list": [0] * 1_001}, "json_length", id="a list"),
        pytest.param({f"v{number}": 0 for number in range(1_001)}, "json_length", id="an object"),
        pytest.param({"list": [[0] * 999] * 30}, "json_values", id="all together"),
    ],
)
def test_more_values_than_anybody_needs_are_refused(variables, which):
    body = orjson.dumps({"query": "{ hello }", "variables": variables})
    with pytest.raises(LimitExceeded) as refused:
        read_json(body)
    assert refused.value.extensions["limit"] == which
