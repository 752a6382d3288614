"""Deadlines, and clients that leave."""

import asyncio
import contextlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.graphql import watching
from tests.server.synthetic import data_of, serving

AUDIT = Path(__file__).parents[1] / "node" / "audit.mjs"
AUDITS = 61
WAIT = b'{"query":"{ wait }"}'


def request_bytes(body: bytes, length: int | None = None) -> bytes:
    head = ["POST /graphql HTTP/1.1", "host: test", "content-type: application/json"]
    return "\r\n".join([*head, f"content-length: {length or len(body)}", "", ""]).encode() + body


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await event.wait()


@contextlib.asynccontextmanager
async def connected(url: str):
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_an_operation_past_its_deadline_is_a_result_with_an_error(accept):
    async with serving(deadline_seconds=0.1) as server, server.client() as client:
        response = await client.post("/graphql", json={"query": "{ hello wait }"}, headers={"accept": accept})
        assert response.status_code == 200
        (error,) = response.json()["errors"]
        assert response.json()["data"] is None
        assert error["extensions"] == {"code": "TIMEOUT", "requestId": response.headers["x-request-id"]}
        assert server.cancelled.is_set()
        assert server.closed == 1
        assert server.reported == []


async def test_a_deadline_before_execution_refuses_the_request():
    async with serving(deadline_seconds=0.1) as server, server.client() as client:
        server.opens = False
        response = await client.post("/graphql", json={"query": "{ hello }"})
        assert response.status_code == 504
        assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
        assert server.cancelled.is_set()


async def test_a_body_that_does_not_come_is_not_waited_for():
    async with serving(deadline_seconds=0.1) as server, connected(server.url) as (reader, writer):
        writer.write(request_bytes(b'{"query":', length=100))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert server.views == []


async def test_a_body_that_announces_far_too_much_is_refused_at_once():
    async with serving(body_limit_bytes=1_000) as server, connected(server.url) as (reader, writer):
        writer.write(request_bytes(b"", length=1_000_000_000))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_leaves_cancels_its_operation():
    async with serving() as server:
        async with connected(server.url) as (_, writer):
            writer.write(request_bytes(WAIT))
            await happens(server.waiting)
        await happens(server.cancelled)
        async with server.client() as client:
            assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200
        assert server.closed == 2
        assert server.reported == []


async def test_a_client_that_leaves_before_its_context_is_open_cancels_that():
    async with serving() as server:
        server.opens = False
        async with connected(server.url) as (_, writer):
            writer.write(request_bytes(WAIT))
            await happens(server.waiting)
        await happens(server.cancelled)
        assert server.reported == []


async def test_a_client_that_leaves_amid_its_body_is_forgotten(caplog):
    async with serving() as server:
        async with connected(server.url) as (_, writer):
            writer.write(request_bytes(b'{"query":', length=100))
        async with server.client() as client:
            assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200
        assert server.reported == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_slow_operation_of_a_patient_client_ends_well(monkeypatch):
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0)
    async with serving() as server, server.client() as client:
        slow = asyncio.create_task(client.post("/graphql", json={"query": "{ pause }"}))
        await happens(server.waiting)
        # By the time that another request is answered, the first one is being watched.
        assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200
        server.resume.set()
        assert data_of(await slow) == {"pause": "done"}
        assert (await client.post("/graphql", json={"query": "{ hello }"})).status_code == 200


async def test_every_audit_of_graphql_over_http_is_ok(node):
    # Some of them ask for the schema.
    async with serving(development=True) as server:
        process = await asyncio.create_subprocess_exec(
            node, str(AUDIT), f"{server.url}/graphql", stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        results = json.loads(printed)
        assert [result for result in results if result["status"] != "ok"] == []
        assert len(results) == AUDITS
        assert server.reported == []
