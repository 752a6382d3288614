"""GraphQL over HTTP: methods, and the media types of both directions."""

import pytest

from tests.server.synthetic import GRAPHQL, JSON, code_of, data_of, post, serving


@pytest.fixture(scope="module")
async def server():
    async with serving() as synthetic:
        yield synthetic
    assert synthetic.notes == []


@pytest.fixture
async def client(server):
    async with server.client() as client:
        yield client


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON),
        (f"{JSON};q=0.5, */*;q=0.9", GRAPHQL),
        (f"{GRAPHQL}, */*", GRAPHQL),
        (f"{JSON}, */*", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        ("TEXT/HTML, APPLICATION/JSON;Q=0.1", JSON),
    ],
)
async def test_the_media_type_follows_the_weights_of_accept(client, accept, media_type):
    response = await post(client, "{ hello }", accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/json;q=0", "application/json; charset=latin-1", "text/*", f"{JSON};q=nan", "zzz;;;=,,"],
)
async def test_other_media_types_are_not_acceptable(client, accept):
    response = await post(client, "{ hello }", accept)
    assert response.status_code == 406
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_are_not_allowed(client, method):
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"
    assert code_of(response) == "BAD_REQUEST"


async def test_head_is_not_allowed(client):
    response = await client.head("/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/jsonp"},
        {"content-type": ""},
        {"content-type": JSON, "content-encoding": "gzip"},
    ],
)
async def test_other_bodies_are_not_supported(client, headers):
    response = await client.post("/graphql", content=b'{"query": "mutation { note(text: \\"x\\") }"}', headers=headers)
    assert response.status_code == 415
    assert code_of(response) == "BAD_REQUEST"


async def test_a_body_without_a_type_is_not_supported(client):
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}')
    assert response.status_code == 415


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", 'APPLICATION/JSON; charset="utf8"'])
async def test_spellings_of_the_content_type(client, content_type):
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type})
    assert data_of(response) == {"hello": "Hello you"}
