"""Streams of events by foreign clients: graphql-sse, and curl."""

import asyncio
import contextlib
import json
import shutil
from pathlib import Path

import orjson
import pytest

from tests.api.live.stocks import stocked
from tests.api.live.streams import EVENTS, PATIENCE_SECONDS, STOCK, endpoint

SCRIPT = Path(__file__).parents[2] / "node" / "sse.mjs"


@pytest.fixture
async def stock(api, database):
    return await stocked(database, api)


@contextlib.asynccontextmanager
async def running(*command):
    """Run a program, and end it."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def foreign(node, shop):
    """Runs graphql-sse; gives what it says, one thing after the other."""

    @contextlib.asynccontextmanager
    async def opened(*urls, query, variables=None, headers=None, results=None):
        configuration = {
            "urls": [f"{url}/graphql" for url in urls],
            "headers": {"Galleria-Shop": shop.slug, **(headers or {})},
            "request": {"query": query, "variables": variables or {}},
        }
        if results is not None:
            configuration["results"] = results
        async with running(node, str(SCRIPT), json.dumps(configuration)) as process:

            async def say():
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return json.loads(await process.stdout.readline())

            yield say

    return opened


def quantity(said):
    return said["result"]["data"]["news"]["variant"]["availability"]["quantity"]


async def test_graphql_sse_asks_queries_and_mutations(foreign, base_url, shop, api):
    async with foreign(base_url, query="{ shop { slug } }") as say:
        assert await say() == {"connected": False}
        assert (await say())["result"]["data"] == {"shop": {"slug": shop.slug}}
        assert await say() == {"end": 1}
    token = {"Authorization": f"Bearer {api.token('owner')}"}
    mutation = 'mutation { productCreate(input: {name: "New"}) { product { name } userErrors { code } } }'
    async with foreign(base_url, query=mutation, headers=token) as say:
        await say()
        assert (await say())["result"]["data"]["productCreate"]["product"] == {"name": "New"}
        assert await say() == {"end": 1}


async def test_graphql_sse_hears_at_once_what_is_wrong_with_a_document(foreign, base_url):
    async with foreign(base_url, query="{ nothing }") as say:
        await say()
        assert (await say())["result"]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert await say() == {"end": 1}


async def test_graphql_sse_tries_again_what_is_refused_and_then_says_so(foreign, base_url):
    async with foreign(base_url, query="{ shop { slug } }", headers={"Authorization": "Bearer x"}) as say:
        assert (await say())["error"]["status"] == 401


async def test_graphql_sse_goes_on_elsewhere_when_a_server_ends(foreign, settings, stock):
    async with (
        endpoint(settings) as first,
        endpoint(settings) as second,
        foreign(first.url, second.url, query=STOCK, variables={"ids": [stock.id]}, results=3) as say,
    ):
        assert await say() == {"connected": False}
        await stock.set(9)
        assert quantity(await say()) == 9
        # What happens while nobody is connected comes once there is somebody.
        draining = asyncio.create_task(first.streams.drain(0.0))
        await stock.set(8)
        await draining
        said = [await say(), await say()]
        assert {"connected": True} in said
        assert [quantity(each) for each in said if "result" in each] == [8]
        await stock.set(7)
        assert quantity(await say()) == 7
        assert await say() == {"end": 3}


async def test_curl_follows_and_takes_up_again(base_url, shop, stock):
    curl = shutil.which("curl")
    assert curl is not None, "Install curl (Debian and Ubuntu: apt install curl)."
    body = orjson.dumps({"query": STOCK, "variables": {"ids": [stock.id]}}).decode()
    command = [curl, "--silent", "--no-buffer", f"{base_url}/graphql", "--header", f"Accept: {EVENTS}"]
    command += ["--header", f"Galleria-Shop: {shop.slug}", "--header", "Content-Type: application/json", "--data", body]
    async with running(*command) as process:
        begin = await until_id(process)
        await stock.set(9)
        assert b"event: next" in await block(process)
    async with running(*command, "--header", f"Last-Event-ID: {begin}") as process:
        again = await block(process)
        while b"event: next" not in again:
            again = await block(process)
        assert int(next(line for line in again if line.startswith(b"id: "))[4:]) > begin


async def block(process) -> list[bytes]:
    """Read up to the next empty line."""
    lines = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while line := (await process.stdout.readline()).rstrip(b"\n"):
            lines.append(line)
    return lines


async def until_id(process) -> int:
    """Read until the stream has said where it begins."""
    while True:
        for line in await block(process):
            if line.startswith(b"id: "):
                return int(line[4:])
