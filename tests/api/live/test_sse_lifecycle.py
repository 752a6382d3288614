"""How streams live and end: pings, bounds, slow readers, tokens, age, and the end of the process."""

import asyncio
import contextlib
import dataclasses
import os
import re
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from resolvers.context import ROLES, Actor, ActorKind
from server.app import create_app
from server.authentication import Grant, issue_token
from server.keys import configured_keys
from server.live import sse
from server.live.bounds import Bounds
from tests.api.live.sockets import SHOP_NAME
from tests.api.live.sockets import socket as socket_of
from tests.api.live.stocks import stocked
from tests.api.live.streams import EVENTS, PATIENCE_SECONDS, STOCK, Following, endpoint
from tests.resolvers.feeding import announce, number
from tests.servers import served

CYCLES = int(os.environ.get("GALLERIA_TEST_CYCLES", "150"))
LAST_CHUNK = b"\r\n0\r\n\r\n"
"""How an answer ends that was written to its end."""
LARGE = b'{"data":"' + b"x" * 100_000 + b'"}'


@pytest.fixture
async def stock(api, database):
    return await stocked(database, api)


def following(live, shop, **options):
    """Open a stream of an endpoint."""
    return following_at(live.url, shop, **options)


@contextlib.asynccontextmanager
async def following_at(url, shop, *, token=None, last_event_id=None, **variables):
    """Open a stream of a server."""
    headers = {"Accept": EVENTS} | (
        {"Galleria-Shop": shop.slug} if token is None else {"Authorization": f"Bearer {token}"}
    )
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as client,
        client.stream("POST", "/graphql", json={"query": STOCK, "variables": variables}, headers=headers) as response,
    ):
        yield Following(response)


async def until(condition):
    """Wait until something is so; what it waits for happens in this very loop."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110  (many different things are waited for)
            await asyncio.sleep(0.01)


def short_token(api, seconds: float) -> str:
    grant = Grant(
        issuer=api.settings.token_issuer,
        audience=api.settings.token_audience,
        shop=str(api.shop.id),
        actor=Actor(ActorKind.STAFF, "tester", ROLES["owner"]),
        lifetime=timedelta(seconds=seconds),
    )
    return issue_token(configured_keys(api.settings), grant)


async def test_a_quiet_stream_is_pinged_and_told_how_far_it_has_heard(settings, api, database, stock, monkeypatch):
    monkeypatch.setattr(sse, "PING_SECONDS", 0.05)
    other = await stocked(database, api)
    async with endpoint(settings) as live, following(live, api.shop, ids=[stock.id]) as stream:
        reading = asyncio.ensure_future(stream.event())
        await stream.reader.marked.wait()
        first = stream.reader.last_id
        await other.set(3)
        await until(lambda: stream.reader.comments > 5 and stream.reader.last_id != first)
        assert not reading.done()
        quiet = stream.reader.last_id
        await stock.set(2)
        assert int((await reading).id) > int(quiet) > int(first)


async def test_an_address_has_so_many_streams_without_a_token(settings, api):
    async with endpoint(settings, Bounds(anonymous_sockets=2)) as live, contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(contextlib.AsyncExitStack())
        await first.enter_async_context(following(live, api.shop))
        await stack.enter_async_context(following(live, api.shop))
        refused = await stack.enter_async_context(following(live, api.shop))
        body = orjson.loads(await refused.response.aread())
        assert (refused.response.status_code, refused.response.headers["retry-after"]) == (429, "1")
        assert body["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        signed_in = await stack.enter_async_context(following(live, api.shop, token=api.token("support")))
        assert signed_in.response.status_code == 200
        await first.aclose()
        await until(lambda: live.sample("galleria_streams") == 2)
        again = await stack.enter_async_context(following(live, api.shop))
        assert again.response.status_code == 200


async def test_a_client_has_so_many_streams(settings, api):
    token = api.token("owner")
    async with endpoint(settings, Bounds(sockets_per_client=1)) as live, following(live, api.shop, token=token):
        async with following(live, api.shop, token=token) as refused:
            assert refused.response.status_code == 429
        async with following(live, api.shop, token=api.token("owner", subject="another")) as other:
            assert other.response.status_code == 200


async def test_a_process_has_so_many_streams_and_sockets(settings, api):
    bounded = dataclasses.replace(settings, sockets=2)
    async with served(create_app(bounded)) as url, socket_of(url, introduce=api.shop) as first:
        async with following_at(url, api.shop) as second:
            assert second.response.status_code == 200
            async with following_at(url, api.shop) as third:
                assert third.response.status_code == 503
                assert third.response.headers["retry-after"] == "1"
        assert (await first.ask("1", SHOP_NAME))["data"]


async def test_a_client_has_so_many_operations(settings, api):
    token = api.token("owner")
    async with endpoint(settings, Bounds(operations_per_client=1)) as live, following(live, api.shop, token=token):
        async with following(live, api.shop, token=token) as refused:
            assert refused.response.status_code == 429
        async with following(live, api.shop, token=api.token("owner", subject="another")) as other:
            assert other.response.status_code == 200


async def test_a_token_that_ends_ends_its_stream(settings, api, stock):
    async with endpoint(settings) as live:
        async with following(live, api.shop, token=short_token(api, 2), ids=[stock.id]) as stream:
            await stock.set(9)
            assert await stream.quantity() == 9
            last, *others = await stream.rest()
        assert others == []
        assert [error["extensions"]["code"] for error in last.data["errors"]] == ["TOKEN_EXPIRED"]
        assert stream.reader.retry_ms == 1_000
        await stock.set(8)
        token, last_id = api.token("owner"), stream.reader.last_id
        async with following(live, api.shop, token=token, last_event_id=last_id, ids=[stock.id]) as again:
            assert await again.quantity() == 8


async def test_an_old_stream_ends_and_goes_on_in_another(settings, api, stock):
    async with endpoint(settings, Bounds(age_seconds=0.3)) as live:
        async with following(live, api.shop, ids=[stock.id]) as stream:
            assert await stream.rest() == []
        await stock.set(7)
        async with following(live, api.shop, last_event_id=stream.reader.last_id, ids=[stock.id]) as again:
            assert await again.quantity() == 7
        assert live.sample("galleria_streams_ended_total", reason="aged") == 1


@contextlib.asynccontextmanager
async def lazy_stream(live, shop, query=STOCK, **headers):
    """Open a stream whose client reads the head of the answer, and then no more until told to."""
    address, loop = urlsplit(live.url), asyncio.get_running_loop()
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        lazy.setblocking(False)  # noqa: FBT003  (its only argument)
        await loop.sock_connect(lazy, (address.hostname, address.port))
        await loop.sock_sendall(lazy, request_bytes(shop, query, headers))
        assert (await loop.sock_recv(lazy, 4_096)).startswith(b"HTTP/1.1 200 OK")
        [stream] = live.streams._open
        yield stream, lazy


async def test_who_reads_nothing_is_cut_off_and_holds_no_memory(settings, api):
    bounds = Bounds(waiting_frames=16, waiting_bytes=1_000_000)
    async with endpoint(settings, bounds) as live, lazy_stream(live, api.shop) as (stream, lazy):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not stream._is_over:
                stream.deliver(1, LARGE)
                assert stream._bytes <= bounds.waiting_bytes + 2 * len(LARGE)
                await asyncio.sleep(0)
        assert len(stream._waiting) == 0
        await until(lambda: live.sample("galleria_streams") == 0)
        assert live.sample("galleria_streams_ended_total", reason="slow") == 1
        assert not (await read_all(lazy)).endswith(LAST_CHUNK)


@contextlib.asynccontextmanager
async def catching_up(live, api):
    """Open a stream of staff who has missed all that there was, and reads only when told to."""
    query = (
        f"subscription {{ events {{ ... on ShopEvent {{ sequence {' '.join(f'a{n}: id' for n in range(28))} }} }} }}"
    )
    headers = {"Authorization": f"Bearer {api.token('owner')}", "Last-Event-ID": "0"}
    async with lazy_stream(live, api.shop, query, **headers) as opened:
        yield opened


async def test_who_catches_up_reads_at_his_own_pace(settings, api, database, monkeypatch):
    monkeypatch.setattr("tests.servers.free_port", narrow_listener)
    await announce(database, api.shop, 300)
    last = await number(database, api.shop)
    loop, read = asyncio.get_running_loop(), b""
    bounds = Bounds(waiting_frames=30, waiting_bytes=100_000)
    async with endpoint(settings, bounds) as live, catching_up(live, api) as (stream, lazy):
        while f"\nid: {last}\n".encode() not in read:
            # Nothing is read before the server waits for it.
            await until(lambda: stream._is_writing or stream._following.sequence == last)
            assert len(stream._waiting) <= 20
            read += await loop.sock_recv(lazy, 10_000)
        assert live.sample("galleria_streams") == 1
    events = re.findall(rb"event: next\nid: (\d+)\n", read.replace(b"\r", b""))
    assert list(map(int, events)) == list(range(1, last + 1))


async def test_who_catches_up_and_reads_nothing_is_cut_off(settings, api, database, monkeypatch):
    monkeypatch.setattr("tests.servers.free_port", narrow_listener)
    await announce(database, api.shop, 300)
    await number(database, api.shop)
    async with endpoint(settings, Bounds(stall_seconds=0.3)) as live, catching_up(live, api):
        await until(lambda: live.sample("galleria_streams_ended_total", reason="slow") == 1)
        await until(lambda: live.sample("galleria_streams") == 0)


async def test_who_does_not_read_to_the_end_is_cut_off(settings, api, monkeypatch):
    monkeypatch.setattr("server.live.stream.GRACE_SECONDS", 0.3)
    async with endpoint(settings) as live, lazy_stream(live, api.shop) as (stream, lazy):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(stream._waiting) < 5:
                stream.deliver(1, LARGE)
                await asyncio.sleep(0)
            await live.streams.drain(0.0)
        assert live.sample("galleria_streams") == 0
        assert live.sample("galleria_streams_ended_total", reason="drained") == 1
        assert not (await read_all(lazy)).endswith(LAST_CHUNK)


async def read_all(connection) -> bytes:
    """Return the end of what still arrives."""
    end = b""
    with contextlib.suppress(ConnectionResetError):
        while read := await asyncio.get_running_loop().sock_recv(connection, 1_000_000):
            end = (end + read)[-100:]
    return end


def narrow_listener() -> socket.socket:
    """Bind a socket whose connections take little that is not read."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    made.bind(("127.0.0.1", 0))
    return made


def request_bytes(shop, query, headers) -> bytes:
    body = orjson.dumps({"query": query})
    head = ["POST /graphql HTTP/1.1", "Host: test", f"Accept: {EVENTS}", f"Galleria-Shop: {shop.slug}"]
    head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


async def test_a_drain_ends_streams_so_that_they_are_opened_again(settings, api, stock):
    async with endpoint(settings) as live, endpoint(settings) as other:
        async with following(live, api.shop, ids=[stock.id]) as stream, following(live, api.shop) as second:
            await stock.set(9)
            assert await stream.quantity() == await second.quantity() == 9
            await live.streams.drain(0.05)
            # No `complete`, which would be the end for good.
            assert await stream.rest() == await second.rest() == []
        await stock.set(8)
        async with following(live, api.shop, ids=[stock.id]) as turned_away:
            assert turned_away.response.status_code == 200
            assert await turned_away.rest() == []
            assert turned_away.reader.retry_ms == 1_000
        async with following(other, api.shop, last_event_id=stream.reader.last_id, ids=[stock.id]) as again:
            assert await again.quantity() == 8


async def test_nothing_is_left_of_streams_that_were_closed(settings, api, stock):
    async with endpoint(settings, Bounds(anonymous_sockets=10_000)) as live:
        async with following(live, api.shop, ids=[stock.id]):
            pass
        await until(lambda: live.sample("galleria_streams") == 0)
        tasks = len(asyncio.all_tasks())
        for _ in range(CYCLES):
            async with following(live, api.shop, ids=[stock.id]):
                pass
        await until(lambda: live.sample("galleria_streams") == 0)
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        assert (len(live.streams._crowd), len(live.streams._crowd._counts)) == (0, 0)
        assert live.sample("galleria_streams_ended_total", reason="left") == CYCLES + 1
        assert live.sample("galleria_requests_in_flight") == 0


async def test_a_stream_is_counted_as_a_request_once_it_is_over(settings, api):
    async with endpoint(settings) as live:
        labels = {"operation": "subscription", "status": "200", "code": "none"}
        async with following(live, api.shop):
            assert live.sample("galleria_streams") == live.sample("galleria_requests_in_flight") == 1
            assert live.sample("galleria_requests_total", **labels) == 0
        await until(lambda: live.sample("galleria_requests_total", **labels) == 1)
