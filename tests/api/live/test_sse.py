"""Queries and mutations by a stream of events, and what is answered before there is one."""

import hashlib

import pytest

from tests.api.live.streams import EVENTS, Event, all_events

PREFLIGHT = {"graphql-require-preflight": "1"}
COMPLETE = Event("complete", None)


@pytest.fixture
def ask(client, shop):
    async def send(query, *, accept=EVENTS, method="POST", **more):
        headers = {"Accept": accept, "Galleria-Shop": shop.slug, **more.pop("headers", {})}
        if method == "GET":
            return await client.get("/graphql", params={"query": query}, headers=headers)
        return await client.request(method, "/graphql", json={"query": query, **more}, headers=headers)

    return send


async def test_a_query_is_one_result_and_its_end(ask, shop):
    response = await ask("{ shop { slug } }")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert "accept" in response.headers["vary"]
    assert response.content.endswith(b"\n\nevent: complete\ndata:\n\n")
    first, *others = await all_events(response)
    assert (first.name, first.id, first.data["data"]) == ("next", None, {"shop": {"slug": shop.slug}})
    assert others == [COMPLETE]


async def test_it_says_what_json_says(ask):
    query = "{ shop { slug defaultCurrency } products(first: 1) { nodes { id } } }"
    streamed, plain = await ask(query), await ask(query, accept="application/json")
    [result, _] = await all_events(streamed)
    assert result.data["data"] == plain.json()["data"]
    assert result.data["extensions"]["cost"]["requestedQueryCost"] > 0


async def test_a_mutation_is_answered_too(ask, api):
    headers = {"Authorization": f"Bearer {api.token('owner')}"}
    mutation = (
        "mutation($name: String!) { productCreate(input: {name: $name}) { product { name } userErrors { code } } }"
    )
    response = await ask(mutation, variables={"name": "Line\nbreak\r"}, headers=headers)
    result, end = await all_events(response)
    assert result.data["data"]["productCreate"]["product"] == {"name": "Line\nbreak\r"}
    assert end == COMPLETE


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"), ("", "GRAPHQL_PARSE_FAILED")],
)
async def test_a_document_that_is_wrong_is_a_result(ask, query, code):
    """The protocol has it so: a client takes any other status for a broken connection, and tries again."""
    response = await ask(query)
    result, end = await all_events(response)
    assert response.status_code == 200
    assert [error["extensions"]["code"] for error in result.data["errors"]] == [code]
    assert "data" not in result.data
    assert end == COMPLETE


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (EVENTS, EVENTS),
        ("TEXT/Event-Stream", EVENTS),
        (f"{EVENTS}, */*", EVENTS),
        (f"{EVENTS}, application/json;q=0.9", EVENTS),
        (f"{EVENTS}, application/json", "application/json"),
        (f"{EVENTS};q=0.5, application/graphql-response+json", "application/graphql-response+json"),
        (f"{EVENTS};q=0, */*", "application/json"),
        ("*/*", "application/json"),
    ],
)
async def test_a_query_is_streamed_to_who_likes_that_best(ask, accept, media_type):
    response = await ask("{ shop { slug } }", accept=accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/*", f"{EVENTS};q=0", "text/event-streams", f"{EVENTS}; charset=latin-1"])
async def test_what_names_no_stream_gets_none(ask, accept):
    response = await ask("{ shop { slug } }", accept=accept)
    assert response.status_code == 406
    assert EVENTS in response.json()["errors"][0]["message"]


async def test_get_needs_the_preflight_header(ask):
    refused = await ask("{ shop { slug } }", method="GET")
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json; charset=utf-8")
    served = await ask("{ shop { slug } }", method="GET", headers=PREFLIGHT)
    assert [event.name for event in await all_events(served)] == ["next", "complete"]
    assert "etag" not in served.headers
    assert served.headers["cache-control"] == "no-store"


async def test_get_of_a_kept_document_needs_no_header(ask, client, shop):
    query = "{ shop { slug } }"
    sha256 = hashlib.sha256(query.encode()).hexdigest()
    kept = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    await ask(query, accept="application/json", extensions=kept)
    response = await client.get(
        "/graphql", params={"documentId": f"sha256:{sha256}"}, headers={"Accept": EVENTS, "Galleria-Shop": shop.slug}
    )
    assert [event.name for event in await all_events(response)] == ["next", "complete"]


async def test_mutations_are_not_sent_by_get(ask):
    mutation = 'mutation { productCreate(input: {name: "x"}) { product { id } } }'
    response = await ask(mutation, method="GET", headers=PREFLIGHT)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(client, method):
    response = await client.request(method, "/graphql", headers={"Accept": EVENTS})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer nonsense"}, 401, "UNAUTHENTICATED"),
        ({"Authorization": "Basic eA=="}, 401, "UNAUTHENTICATED"),
        ({"Galleria-Shop": "nowhere"}, 404, "SHOP_NOT_FOUND"),
        ({"Content-Type": "text/plain"}, 415, "BAD_REQUEST"),
    ],
)
async def test_a_request_that_is_refused_has_its_status(ask, headers, status, code):
    response = await ask("{ shop { slug } }", headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == [code]


async def test_a_refusal_is_told_as_a_problem_to_who_accepts_that(ask):
    response = await ask("{ a }", accept=f"{EVENTS}, application/problem+json", headers={"Galleria-Shop": "nowhere"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"query": 1}', b"\xff", b"[" * 100])
async def test_garbage_is_a_bad_request(client, shop, body):
    headers = {"Accept": EVENTS, "Content-Type": "application/json", "Galleria-Shop": shop.slug}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] in {"BAD_REQUEST", "LIMIT_EXCEEDED"}
