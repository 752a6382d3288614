"""The examples that GraphiQL opens with, run against the demo shops that they are written for."""

import asyncpg
import httpx
import pytest
from rich.progress import Progress

from server.demo import ensure_demo


@pytest.fixture(scope="module")
async def demo(settings, postgres) -> None:
    """The demo shops, made by one of the workers that share the database while the others wait."""
    connection = await asyncpg.connect(postgres.owner_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('demo shops'))")
        with Progress(disable=True) as progress:
            await ensure_demo(settings, progress)
    finally:
        await connection.close()


@pytest.mark.usefixtures("demo")
async def test_every_example_runs_as_it_stands(client: httpx.AsyncClient):
    examples = (await client.get("/graphiql/examples.json")).json()

    asked = [example for example in examples if "\nsubscription " not in example["query"]]
    answers = {
        example["title"]: (
            await client.post(
                "/graphql",
                json={"query": example["query"], "variables": example["variables"]},
                headers={**example["headers"], "Accept": "application/graphql-response+json"},
            )
        ).json()
        for example in asked
    }

    assert {title: answer.get("errors") for title, answer in answers.items()} == dict.fromkeys(answers)
    assert answers["List products"]["data"]["products"]["totalCount"] > 40
    assert answers["Show one product"]["data"]["product"]["variants"]
    assert answers["Search and narrow"]["data"]["products"]["totalCount"] > 0
    assert answers["Create a product"]["data"]["productCreate"]["userErrors"] == []
    assert len(answers) == 4
    assert len(examples) == 5


@pytest.mark.usefixtures("demo")
async def test_the_example_of_a_subscription_opens_as_it_stands(client: httpx.AsyncClient):
    examples = (await client.get("/graphiql/examples.json")).json()
    [example] = [example for example in examples if "\nsubscription " in example["query"]]
    body = {"query": example["query"], "variables": example["variables"]}
    headers = {**example["headers"], "Accept": "text/event-stream"}
    async with client.stream("POST", "/graphql", json=body, headers=headers) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.usefixtures("demo")
async def test_the_start_page_shows_the_demo_shops_and_a_token_of_each_role(client: httpx.AsyncClient):
    page = (await client.get("/")).text

    for shop in ("demo", "demo-jp", "demo-kw"):
        assert f"<code>{shop}</code>" in page
    assert page.count("Authorization: Bearer") >= 15


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("path", ["/", "/graphiql/examples.json"])
async def test_a_page_that_names_itself_otherwise_gets_no_tokens(client: httpx.AsyncClient, path: str):
    own = await client.get(path)
    rebound = await client.get(path, headers={"Host": "evil.example:8000"})

    assert "Bearer" in own.text
    assert rebound.status_code == 200
    assert "Bearer" not in rebound.text
