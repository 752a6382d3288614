"""GET requests, persisted documents and what caches are told."""

import hashlib
import uuid

import orjson
import pytest

from server.graphql.persisted import DocumentsInProcess, hash_of
from tests.server.synthetic import data_of, serving

PREFLIGHT = {"graphql-require-preflight": "1"}
HELLO = "{ hello }"
NOTE = 'mutation { note(text: "x") }'


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def automatic(text: str) -> dict:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}


@pytest.fixture
async def server():
    async with serving() as synthetic:
        yield synthetic
    assert synthetic.notes == []
    assert synthetic.reported == []


@pytest.fixture
async def client(server):
    async with server.client() as client:
        yield client


async def get(client, headers=None, **members):
    parameters = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in members.items()
    }
    return await client.get("/graphql", params=parameters, headers=headers)


async def post(client, shop="demo", **members):
    return await client.post("/graphql", json=members, headers={"galleria-shop": shop})


def error_of(response):
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


@pytest.mark.parametrize("header", ["graphql-require-preflight", "Apollo-Require-Preflight", "x-apollo-operation-name"])
async def test_queries_by_get_need_a_header_that_browsers_ask_about(client, header):
    assert data_of(await get(client, {header: "1"}, query=HELLO)) == {"hello": "Hello you"}
    assert error_of(await get(client, {header: ""}, query=HELLO)) == (400, "BAD_REQUEST")


async def test_queries_by_get_without_it_are_refused(client):
    response = await get(client, {"sec-fetch-mode": "cors", "content-type": "text/plain"}, query=HELLO)
    assert error_of(response) == (400, "BAD_REQUEST")
    assert "graphql-require-preflight" in response.text


async def test_members_of_a_get(client):
    query = "query A { hello } query B($n: Int) { double(n: $n) }"
    response = await get(
        client, PREFLIGHT, query=query, operationName="B", variables={"n": 4}, extensions={}, other="x"
    )
    assert data_of(response) == {"double": 8}


async def test_empty_parameters_are_absent(client):
    response = await get(client, PREFLIGHT, query=HELLO, operationName="", variables="", extensions="")
    assert data_of(response) == {"hello": "Hello you"}


async def test_mutations_are_not_sent_by_get(client, server):
    response = await get(client, PREFLIGHT, query=NOTE)
    assert error_of(response) == (405, "BAD_REQUEST")
    assert response.headers["allow"] == "POST"
    await server.persisted.keep((await demo(server, client)).id, NOTE)
    assert error_of(await get(client, documentId=f"sha256:{sha256(NOTE)}")) == (405, "BAD_REQUEST")


async def test_subscriptions_are_not_sent_by_get(client):
    assert error_of(await get(client, PREFLIGHT, query="subscription { ticks }")) == (200, "BAD_REQUEST")


async def demo(server, client):
    await post(client, query=HELLO)
    return server.shops["demo"]


async def test_a_document_by_its_id(client, server):
    await server.persisted.keep((await demo(server, client)).id, HELLO)
    document_id = f"sha256:{sha256(HELLO)}"
    assert data_of(await get(client, documentId=document_id)) == {"hello": "Hello you"}
    assert data_of(await post(client, documentId=document_id)) == {"hello": "Hello you"}


async def test_an_unknown_id(client):
    response = await post(client, documentId="sha256:" + "0" * 64)
    assert error_of(response) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert response.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    response = await client.post(
        "/graphql",
        json={"documentId": "sha256:" + "0" * 64},
        headers={"accept": "application/graphql-response+json"},
    )
    assert error_of(response) == (400, "PERSISTED_QUERY_NOT_FOUND")


async def test_automatic_persisted_queries(client):
    extensions = automatic(HELLO)
    assert error_of(await get(client, extensions=extensions)) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert data_of(await post(client, query=HELLO, extensions=extensions)) == {"hello": "Hello you"}
    assert data_of(await get(client, extensions=extensions)) == {"hello": "Hello you"}
    assert data_of(await post(client, extensions=extensions)) == {"hello": "Hello you"}
    assert data_of(await get(client, documentId=f"sha256:{sha256(HELLO)}")) == {"hello": "Hello you"}


async def test_a_hash_of_something_else_is_refused_and_not_kept(client):
    extensions = automatic(HELLO)
    assert error_of(await post(client, query="{ shop }", extensions=extensions)) == (400, "BAD_REQUEST")
    assert error_of(await post(client, extensions=extensions)) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_documents_that_fail_are_not_kept(client):
    extensions = automatic("{ nothing }")
    response = await post(client, query="{ nothing }", extensions=extensions)
    assert error_of(response) == (200, "GRAPHQL_VALIDATION_FAILED")
    assert error_of(await post(client, extensions=extensions)) == (200, "PERSISTED_QUERY_NOT_FOUND")


async def test_documents_of_one_shop_are_unknown_to_another(client):
    extensions = automatic("{ shop }")
    assert data_of(await post(client, "one", query="{ shop }", extensions=extensions)) == {"shop": "one"}
    assert error_of(await post(client, "two", extensions=extensions)) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert data_of(await post(client, "one", extensions=extensions)) == {"shop": "one"}


@pytest.mark.parametrize(
    "persisted",
    [
        "x",
        [],
        {},
        {"version": 2, "sha256Hash": "0" * 64},
        {"version": 1},
        {"version": 1, "sha256Hash": 1},
        {"version": 1, "sha256Hash": "0" * 63},
        {"version": 1, "sha256Hash": "G" * 64},
        {"version": 1, "sha256Hash": "A" * 64},
    ],
)
async def test_malformed_persisted_queries(client, persisted):
    response = await post(client, query=HELLO, extensions={"persistedQuery": persisted})
    assert error_of(response) == (400, "BAD_REQUEST")


async def test_a_locked_server_serves_registered_documents_only():
    async with serving(registered_only=True) as server, server.client() as client:
        await post(client, query=HELLO)
        await server.persisted.keep(server.shops["demo"].id, HELLO)
        assert data_of(await post(client, query=HELLO)) == {"hello": "Hello you"}
        assert (await post(client, documentId=f"sha256:{sha256(HELLO)}")).status_code == 200
        assert error_of(await post(client, query=NOTE)) == (403, "FORBIDDEN")
        assert error_of(await post(client, query=NOTE, extensions=automatic(NOTE))) == (403, "FORBIDDEN")
        assert error_of(await post(client, extensions=automatic(NOTE))) == (200, "PERSISTED_QUERY_NOT_FOUND")
        assert error_of(await post(client, "other", query=HELLO)) == (403, "FORBIDDEN")
        assert server.notes == []


async def test_a_get_may_be_cached_and_asked_about_again(client):
    response = await get(client, PREFLIGHT, query=HELLO)
    tag = response.headers["etag"]
    assert tag == f'"{hashlib.sha256(response.content).hexdigest()}"'
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["vary"] == "accept, authorization, galleria-shop"
    for known in (tag, f'"x", W/{tag}', "*"):
        again = await get(client, {**PREFLIGHT, "if-none-match": known}, query=HELLO)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers


async def test_another_answer_has_another_tag(client):
    tag = (await get(client, PREFLIGHT, query=HELLO)).headers["etag"]
    other = await get(client, {**PREFLIGHT, "if-none-match": tag}, query='{ hello(name: "me") }')
    assert other.status_code == 200
    assert other.headers["etag"] != tag


async def test_errors_are_not_cached(client):
    for query in ("{ nothing }", "{ forbidden }"):
        response = await get(client, {**PREFLIGHT, "if-none-match": "*"}, query=query)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers


async def test_posts_are_not_cached(client):
    response = await client.post("/graphql", json={"query": HELLO}, headers={"if-none-match": "*"})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


SHOP_A, SHOP_B = uuid.uuid4(), uuid.uuid4()


async def test_a_shop_loses_its_own_least_used_document_first():
    documents = DocumentsInProcess(documents_of_shop=2)
    for text in ("{ a }", "{ b }"):
        await documents.keep(SHOP_A, text)
    await documents.keep(SHOP_B, "{ a }")
    assert await documents.find(SHOP_A, hash_of("{ a }")) == "{ a }"
    await documents.keep(SHOP_A, "{ c }")
    assert await documents.find(SHOP_A, hash_of("{ b }")) is None
    assert await documents.find(SHOP_A, hash_of("{ a }")) == "{ a }"
    assert await documents.find(SHOP_B, hash_of("{ a }")) == "{ a }"


async def test_all_shops_together_are_bounded():
    documents = DocumentsInProcess(characters=15)
    await documents.keep(SHOP_A, "{ b }")
    await documents.keep(SHOP_A, "{ a }")
    await documents.keep(SHOP_B, "{ a }")
    await documents.keep(SHOP_B, "{ a }")
    assert await documents.find(SHOP_A, hash_of("{ a }")) == "{ a }"
    await documents.keep(SHOP_A, "{ c c }")
    assert await documents.find(SHOP_B, hash_of("{ a }")) is None
    await documents.keep(SHOP_B, "{ a }")
    assert await documents.find(SHOP_A, hash_of("{ b }")) is None
    assert await documents.find(SHOP_A, hash_of("{ c c }")) == "{ c c }"
