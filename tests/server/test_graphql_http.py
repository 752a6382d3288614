"""GraphQL over HTTP: request errors, refusals, results."""

import re

import orjson
import pytest

from core.errors import Forbidden, Overloaded, ShopNotFound, TokenExpired, Unauthenticated
from tests.server.synthetic import GRAPHQL, JSON, PROBLEM, SECRET, code_of, data_of, only_error, post, serving


@pytest.fixture(scope="module")
async def server():
    async with serving(development=True) as synthetic:
        yield synthetic


@pytest.fixture
async def client(server):
    server.reported.clear()
    server.notes.clear()
    async with server.client() as client:
        yield client
    server.refusal = None


async def test_a_query(client):
    response = await post(client, "query ($n: String) { hello(name: $n) }", variables={"n": "Zoë 🏃"})
    assert response.status_code == 200
    assert data_of(response) == {"hello": "Hello Zoë 🏃"}
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["vary"] == "accept, authorization, galleria-shop"


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
@pytest.mark.parametrize(
    "refused",
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { double(n: $n) }", {}, "BAD_USER_INPUT"),
        ("query ($n: Int) { double(n: $n) }", {"variables": {"n": "x"}}, "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", {}, "BAD_REQUEST"),
        ("query A { hello } query B { hello }", {"operationName": ""}, "BAD_REQUEST"),
        ("query A { hello }", {"operationName": "B"}, "BAD_REQUEST"),
        ("subscription { ticks }", {}, "BAD_REQUEST"),
        ("{" + " hello" * 21 + "}", {}, "LIMIT_EXCEEDED"),
        ('{ hello(name: "\\u0000") }', {}, "BAD_USER_INPUT"),
    ],
)
async def test_what_cannot_be_executed_is_a_request_error(client, accept, status, refused):
    query, members, code = refused
    response = await post(client, query, accept, **members)
    assert response.status_code == status
    assert response.headers["content-type"].startswith(accept)
    assert "data" not in response.json()
    assert code_of(response) == code


async def test_the_operation_is_chosen_by_its_name(client):
    query = "query A { hello } query B { x: hello }"
    assert data_of(await post(client, query, operationName="B")) == {"x": "Hello you"}
    assert data_of(await post(client, "query A { hello }", operationName="")) == {"hello": "Hello you"}


async def test_a_syntax_error_in_full(client):
    response = await client.post("/graphql", json={"query": "{"}, headers={"accept": GRAPHQL, "x-request-id": "r-1"})
    assert response.status_code == 400
    assert response.content == (
        b'{"errors":[{"message":"Syntax Error: Expected Name, found <EOF>.","locations":[{"line":1,"column":2}],'
        b'"extensions":{"code":"GRAPHQL_PARSE_FAILED","requestId":"r-1"}}]}'
    )


async def test_field_names_are_not_suggested(client):
    assert "Did you mean" not in (await post(client, "{ hell }")).text


async def test_refusals_of_resolvers_are_errors_of_their_field(client, server):
    response = await post(client, "{ hello forbidden }", GRAPHQL)
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "Hello you", "forbidden": None}
    error = only_error(response)
    assert error["message"] == "This needs the permission catalogue:write."
    assert error["path"] == ["forbidden"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["permission"] == "catalogue:write"
    assert server.reported == []


async def test_unexpected_exceptions_are_masked_and_reported_once(client, server):
    response = await post(client, "{ a: broken hello }")
    assert response.status_code == 200
    assert response.json()["data"] == {"a": None, "hello": "Hello you"}
    assert code_of(response) == "INTERNAL"
    assert SECRET not in response.text
    assert "LookupError" not in response.text
    ((error, request_id),) = server.reported
    assert (str(error), request_id) == (SECRET, response.headers["x-request-id"])


async def test_a_result_that_cannot_be_written_is_masked(client, server):
    response = await post(client, "{ unprintable }")
    assert response.status_code == 500
    assert code_of(response) == "INTERNAL"
    assert "object" not in response.text
    assert len(server.reported) == 1


async def test_a_cancellation_that_nobody_asked_for_is_masked(client, server):
    response = await post(client, "{ stray }")
    assert response.status_code == 500
    assert code_of(response) == "INTERNAL"
    assert len(server.reported) == 1


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
@pytest.mark.parametrize(
    "refused",
    [
        (Unauthenticated("Sign in."), 401, "UNAUTHENTICATED", {"www-authenticate": "Bearer"}),
        (TokenExpired("Sign in again."), 401, "TOKEN_EXPIRED", {"www-authenticate": "Bearer"}),
        (Forbidden("No."), 403, "FORBIDDEN", {}),
        (ShopNotFound("No such shop."), 404, "SHOP_NOT_FOUND", {}),
        (Overloaded("Later.", retry_after_seconds=3), 503, "OVERLOADED", {"retry-after": "3"}),
    ],
)
async def test_refusals_of_the_request_have_their_own_status(client, server, accept, refused):
    server.refusal, status, code, headers = refused
    response = await post(client, "{ hello }", accept)
    assert response.status_code == status
    assert response.headers["content-type"].startswith(accept)
    assert code_of(response) == code
    assert {name: response.headers[name] for name in headers} == headers


async def test_refusals_are_problem_details_where_the_client_names_them(client, server):
    server.refusal = Overloaded("Try again later.", retry_after_seconds=2)
    response = await post(client, "{ hello }", f"{JSON}, {PROBLEM}")
    assert response.headers["content-type"] == PROBLEM
    assert response.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Try again later.",
        "code": "OVERLOADED",
        "requestId": response.headers["x-request-id"],
        "retryAfterMs": 2000,
    }


async def test_results_and_document_errors_are_no_problem_details(client):
    for query in ("{ hello }", "{"):
        response = await post(client, query, f"{JSON}, {PROBLEM}")
        assert response.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_client_of_problem_details_alone_is_not_acceptable(client):
    response = await post(client, "{ hello }", PROBLEM)
    assert (response.status_code, response.headers["content-type"]) == (406, PROBLEM)


async def test_an_unexpected_exception_before_execution_is_masked(client, server):
    server.refusal = LookupError(SECRET)
    response = await post(client, "{ hello }")
    assert response.status_code == 500
    assert code_of(response) == "INTERNAL"
    assert SECRET not in response.text
    assert len(server.reported) == 1


async def test_a_timeout_within_is_not_the_deadline(client, server):
    server.refusal = TimeoutError(SECRET)
    response = await post(client, "{ hello }")
    assert (response.status_code, code_of(response)) == (500, "INTERNAL")


async def test_request_ids_are_made_or_kept(client):
    made = (await post(client, "{ hello }")).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", made)
    for wanted, kept in [("abc.DEF-1:2_3", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ('"', False)]:
        response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"x-request-id": wanted})
        assert (response.headers["x-request-id"] == wanted) is kept


async def test_development_tells_statements_and_rows(client):
    response = await post(client, "{ ask(statements: 3, rows: 40) }")
    assert response.headers["galleria-statements"] == "3"
    assert response.headers["galleria-rows"] == "40"


async def test_production_tells_neither():
    async with serving() as server, server.client() as client:
        response = await post(client, "{ ask(statements: 3, rows: 40) }")
        assert "galleria-statements" not in response.headers
        assert "galleria-rows" not in response.headers


async def test_the_context_sees_the_request(client, server):
    server.views.clear()
    await client.post(
        "/graphql", json={"query": "{ hello }"}, headers=[("x-a", "1"), ("X-A", "2"), ("x-request-id", "r-2")]
    )
    (view,) = server.views
    assert (view.method, view.request_id, view.address, view.headers["x-a"]) == ("POST", "r-2", "127.0.0.1", "1, 2")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("{", 400),
        ("{ nothing }", 422),
        ("query ($n: Int!) { double(n: $n) }", 422),
        ("{ broken }", 294),
        ("{ hello }", 200),
    ],
)
async def test_the_status_codes_of_the_draft_are_a_setting(query, status):
    async with serving(draft_statuses=True) as server, server.client() as client:
        assert (await post(client, query, GRAPHQL)).status_code == status
        assert (await post(client, query, JSON)).status_code == 200


async def test_answers_are_valid_json_bytes(client):
    assert orjson.loads((await post(client, "{ amount }")).content)["data"] == {"amount": 2.5}
