"""Who may read the schema through the endpoint."""

import dataclasses

import httpx
import pytest

from core.settings import Environment
from server.app import create_app
from tests.server.synthetic import GRAPHQL, data_of, only_error, post, serving
from tests.servers import served

ASKING = [
    "{ __schema { queryType { name } } }",
    '{ hello __type(name: "Query") { name } }',
    "{ ...A } fragment A on Query { ... { __schema { queryType { name } } } }",
]


@pytest.fixture(scope="module")
async def server():
    async with serving() as synthetic:
        yield synthetic


@pytest.fixture
async def client(server):
    async with server.client() as client:
        yield client
    server.actor_kind = "anonymous"


@pytest.mark.parametrize("query", ASKING)
@pytest.mark.parametrize("refused", [("anonymous", 401, "UNAUTHENTICATED"), ("customer", 403, "FORBIDDEN")])
async def test_production_shows_the_schema_to_no_shopper(client, server, query, refused):
    server.actor_kind, status, code = refused
    response = await post(client, query, GRAPHQL)
    assert response.status_code == status
    assert "data" not in response.json()
    error = only_error(response)
    assert error["extensions"]["code"] == code
    assert "__schema" in error["message"]


@pytest.mark.parametrize("query", ASKING)
@pytest.mark.parametrize("kind", ["staff", "key", "system"])
async def test_production_shows_the_schema_to_those_who_run_the_shop(client, server, query, kind):
    server.actor_kind = kind
    response = await post(client, query, GRAPHQL)
    assert response.status_code == 200
    assert "errors" not in response.json()


async def test_everybody_may_ask_for_the_name_of_a_type(client):
    assert data_of(await post(client, "{ __typename }")) == {"__typename": "Query"}


async def test_only_the_operation_that_runs_is_looked_at(client):
    query = "query A { hello } query B { __schema { queryType { name } } }"
    assert data_of(await post(client, query, operationName="A")) == {"hello": "Hello you"}
    assert (await post(client, query, operationName="B")).status_code == 401


async def test_development_shows_the_schema_to_everybody():
    async with serving(development=True) as server, server.client() as client:
        response = await post(client, ASKING[0])
        assert data_of(response) == {"__schema": {"queryType": {"name": "Query"}}}


@pytest.mark.parametrize(("environment", "status"), [(Environment.DEVELOPMENT, 200), (Environment.PRODUCTION, 404)])
async def test_the_file_of_the_schema_is_served_in_development_only(settings, environment, status):
    application = create_app(dataclasses.replace(settings, environment=environment))
    async with served(application) as url, httpx.AsyncClient() as client:
        response = await client.get(f"{url}/schema.graphql")
        page = await client.get(url)
    assert response.status_code == status
    assert ("type Query" in response.text) is (status == 200)
    assert ("schema.graphql" in page.text) is (status == 200)
