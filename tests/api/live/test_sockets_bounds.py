"""What a socket may not have more of, and what it costs us when somebody tries."""

import asyncio
import contextlib
import dataclasses
import json

from redis.asyncio import from_url
from sqlalchemy import select

from core.ids import encode_global_id
from core.redis_buckets import connect
from models.categories import Category
from server.live import slots as slots_module
from server.live import sse
from server.live.bounds import MESSAGE_BYTES, PING_SECONDS, Bounds, Pace, may_connect
from server.live.slots import BATCH, LIFETIME_SECONDS, Alone, InRedis, Slots
from server.parts import parts_of
from tests import factories
from tests.api.live.sockets import ACK, PROTOCOL, SHOP_NAME, Client, endpoint, refused, socket
from tests.api.live.test_sockets_callers import bearer


async def test_client_that_says_nothing_is_not_waited_for(settings):
    async with endpoint(settings, Bounds(init_seconds=0.05)) as server, socket(server.url) as client:
        await client.send({"type": "ping"})
        assert (await client.closed()) == (4408, "Connection initialisation timeout")
        assert server.sample("galleria_socket_closes_total", code="4408") == 1


async def test_old_socket_is_told_to_come_again(settings, shop):
    async with endpoint(settings, Bounds(age_seconds=0.3)) as server, socket(server.url, introduce=shop) as client:
        assert (await client.ask("1", SHOP_NAME))["data"]
        assert (await client.closed()) == (1012, "Connect again.")


async def test_operations_of_a_socket_are_counted(settings, shop):
    async with endpoint(settings, Bounds(operations=2)) as server, socket(server.url, introduce=shop) as client:
        for number in range(10):
            await client.subscribe(str(number), SHOP_NAME)
        received = [await client.receive() for _ in range(12)]
        assert sum(refused(message, "LIMIT_EXCEEDED") for message in received) == 8
        assert sum(message["type"] == "complete" for message in received) == 2
        assert (await client.ask("again", SHOP_NAME))["data"]
        assert server.sample("galleria_socket_operations_open") == 0


async def test_sockets_of_an_address_are_counted_unless_signed_in(settings, shop):
    async with (
        endpoint(settings, Bounds(anonymous_sockets=2)) as server,
        socket(server.url, introduce=shop),
        contextlib.AsyncExitStack() as stack,
    ):
        second = await stack.enter_async_context(socket(server.url, introduce=shop))
        third = await stack.enter_async_context(socket(server.url))
        await third.send({"type": "connection_init", "payload": {"galleria-shop": shop.slug}})
        assert (await third.closed())[0] == 1013
        signed_in = await stack.enter_async_context(socket(server.url))
        await signed_in.introduce(authorization=bearer(settings, shop))
        await second.connection.close()
        fourth = await stack.enter_async_context(socket(server.url, introduce=shop))
        assert (await fourth.ask("1", SHOP_NAME))["data"]


async def test_sockets_that_have_not_said_who_they_are_are_counted(settings, shop):
    async with (
        endpoint(settings, Bounds(pending_sockets=2)) as server,
        socket(server.url) as first,
        socket(server.url),
    ):
        async with socket(server.url) as third:
            assert (await third.closed())[0] == 1013
        await first.introduce(**{"galleria-shop": shop.slug})
        async with socket(server.url, introduce=shop) as fourth:
            assert (await fourth.ask("1", SHOP_NAME))["data"]


async def test_sockets_of_a_client_are_counted(settings, shop):
    async with endpoint(settings, Bounds(sockets_per_client=2)) as server, contextlib.AsyncExitStack() as stack:
        first, second, third, other = [await stack.enter_async_context(socket(server.url)) for _ in range(4)]
        for client in (first, second):
            await client.introduce(authorization=bearer(settings, shop))
        await third.send({"type": "connection_init", "payload": {"authorization": bearer(settings, shop)}})
        assert await third.closed() == (
            1013,
            "Too many sockets of this client are open; close some, or try again later.",
        )
        assert server.sample("galleria_connections_refused_total", bound="client") == 1
        await other.introduce(authorization=bearer(settings, shop, subject="other"))
        await second.connection.close()
        await server.until(lambda: server.sockets.count == 2)
        again = await stack.enter_async_context(socket(server.url))
        await again.introduce(authorization=bearer(settings, shop))
        assert (await again.ask("1", SHOP_NAME))["data"]


async def test_sockets_of_a_process_are_counted(settings, shop):
    async with (
        endpoint(settings, Bounds(sockets=1)) as server,
        socket(server.url, introduce=shop) as first,
    ):
        async with socket(server.url) as second:
            assert await second.closed() == (
                1013,
                "This server has too many connections; connect again, in a moment.",
            )
        assert server.sample("galleria_connections_refused_total", bound="process") == 1
        assert (await first.ask("1", SHOP_NAME))["data"]
        await first.connection.close()
        await server.until(lambda: server.sockets.count == 0)
        assert len(server.sockets.crowd) == 0
        async with socket(server.url, introduce=shop) as third:
            assert (await third.ask("1", SHOP_NAME))["data"]


def test_bounds_are_those_that_clients_are_told(settings):
    """The figures of docs/live.md; whoever changes one changes what clients may rely on."""
    assert dataclasses.asdict(Bounds()) == {
        "init_seconds": 5,
        "age_seconds": 12 * 60 * 60,
        "operation_seconds": 10,
        "operations": 50,
        "operations_per_client": 200,
        "sockets": 20_000,
        "sockets_per_client": 50,
        "anonymous_sockets": 10,
        "pending_sockets": 200,
        "messages_per_second": 20,
        "message_burst": 50,
        "patience_seconds": 10,
        "waiting_frames": 128,
        "waiting_bytes": 4 * 1024 * 1024,
        "stall_seconds": 20,
    }
    assert MESSAGE_BYTES == 128 * 1024
    assert (PING_SECONDS, sse.PING_SECONDS) == (20, 12)
    configured = parts_of(settings).sockets.bounds
    assert configured == Bounds(operation_seconds=settings.deadline_seconds)


async def test_messages_beyond_the_burst_wait(settings, shop):
    bounds = Bounds(message_burst=5, messages_per_second=50)
    async with endpoint(settings, bounds) as server, socket(server.url, introduce=shop) as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(20):
            await client.send({"type": "ping", "payload": {"number": number}})
        assert [(await client.receive())["payload"]["number"] for _ in range(20)] == [*range(20)]
        assert loop.time() - began > 0.25


async def test_flood_of_messages_closes_the_socket(settings, shop):
    bounds = Bounds(message_burst=5, messages_per_second=50, patience_seconds=0.2)
    async with endpoint(settings, bounds) as server, socket(server.url, introduce=shop) as client:
        for _ in range(500):
            await client.send({"type": "ping"})
        assert (await client.closed())[0] == 4429
        async with socket(server.url, introduce=shop) as sibling:
            assert (await sibling.ask("1", SHOP_NAME))["data"]


async def test_storm_of_subscribe_and_complete_leaves_nothing(settings, shop):
    bounds = Bounds(message_burst=10_000)
    async with endpoint(settings, bounds) as server, socket(server.url, introduce=shop) as client:
        for _ in range(500):
            await client.subscribe("same", SHOP_NAME)
            await client.send({"type": "complete", "id": "same"})
        await client.send({"type": "ping"})
        while (await client.receive())["type"] != "pong":
            continue
        answer = None
        await client.subscribe("last", "{ __typename }")
        while answer != {"type": "complete", "id": "last"}:
            answer = await client.receive()
        assert server.sample("galleria_socket_operations_open") == 0


async def test_reader_that_never_reads_is_closed_and_costs_little(settings, shop):
    bounds = Bounds(waiting_frames=8, waiting_bytes=100_000, message_burst=100_000)
    async with endpoint(settings, bounds) as server:
        reader, writer = await opened(server.url)
        writer.transport.pause_reading()
        await said(writer, {"type": "connection_init", "payload": {"galleria-shop": shop.slug}})
        big = {"a": "x" * 60_000}
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                while not server.sample("galleria_socket_overruns_total"):
                    await said(writer, {"type": "ping", "payload": big})
        assert server.sample("galleria_socket_overruns_total") == 1
        await server.until(lambda: not server.sockets.count)
        assert server.sample("galleria_socket_closes_total", code="1013") == 1
        writer.transport.abort()
        del reader


async def test_reader_that_is_slow_for_a_while_gets_all_in_order(settings, shop):
    bounds = Bounds(message_burst=1_000, waiting_bytes=100_000_000)
    async with endpoint(settings, bounds) as server, socket(server.url, introduce=shop) as client:
        client.connection.transport.pause_reading()
        sent, text = 0, "x" * 100_000
        # The system keeps some megabytes before anything waits.
        while not any(each.waiting > 3 for each in server.sockets.connections):
            await client.send({"type": "ping", "payload": {"number": sent, "text": text}})
            sent += 1
        client.connection.transport.resume_reading()
        assert [(await client.receive())["payload"]["number"] for _ in range(sent)] == [*range(sent)]
        assert server.sample("galleria_socket_overruns_total") == 0


async def test_what_waits_is_bounded_in_bytes_too(settings, shop):
    bounds = Bounds(waiting_bytes=1_000_000, message_burst=1_000)
    async with endpoint(settings, bounds) as server, socket(server.url, introduce=shop) as client:
        client.connection.transport.pause_reading()
        text = "x" * 100_000
        for _ in range(200):
            await client.send({"type": "ping", "payload": {"text": text}})
        await server.until(lambda: server.sample("galleria_socket_overruns_total") == 1)
        client.connection.transport.resume_reading()
        assert (await client.closed())[0] == 1013


async def test_pings_of_who_reads_no_pong_are_not_answered_for_ever(settings, shop):
    async with endpoint(settings) as server:
        _, writer = await opened(server.url)
        await said(writer, {"type": "connection_init", "payload": {"galleria-shop": shop.slug}})
        writer.transport.pause_reading()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                while server.sockets.count:
                    writer.write((b"\x89\xfd\0\0\0\0" + b"p" * 125) * 1_000)
                    await writer.drain()
        await server.until(lambda: not server.sockets.count)
        writer.transport.abort()


async def opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a socket by hand, which reads only when it is told to."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1_000)
    writer.write(
        f"GET /graphql HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def said(writer: asyncio.StreamWriter, message: object) -> None:
    payload = json.dumps(message).encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    writer.write(b"\x81" + size + b"\0\0\0\0" + payload)
    await writer.drain()


async def test_frames_are_not_compressed(settings, shop):
    async with (
        endpoint(settings) as server,
        socket(server.url, introduce=shop, compression="deflate") as client,
    ):
        assert "permessage-deflate" in client.connection.request.headers["Sec-WebSocket-Extensions"]
        assert "Sec-WebSocket-Extensions" not in client.connection.response.headers


async def test_client_that_is_not_there_is_closed_by_pings(settings, shop, monkeypatch):
    monkeypatch.setattr("server.serve.PING_SECONDS", 0.1)
    async with endpoint(settings) as server:
        _, writer = await opened(server.url)
        await said(writer, {"type": "connection_init", "payload": {"galleria-shop": shop.slug}})
        await server.until(lambda: server.sample("galleria_socket_closes_total", code="1013") == 1)
        writer.close()


async def test_operations_of_a_client_are_counted_over_all_processes(redis_url, shop):
    client = shop.id, "staff:1"
    first, second = (Slots(InRedis(connect(redis_url)), limit=10) for _ in range(2))
    # A process takes some slots at a time, and gives the others back at its next beat.
    assert [await first.take(client) for _ in range(3)] == [True] * 3
    await first.beat()
    assert [await second.take(client) for _ in range(8)] == [True] * 7 + [False]
    assert not await second.take(client)
    first.give_back(client)
    await first.beat()
    assert await second.take(client)
    for _ in range(2):
        first.give_back(client)
    for _ in range(8):
        second.give_back(client)
    await first.close()
    await second.close()
    assert first.clients == second.clients == 0
    redis = connect(redis_url)
    assert not await redis.exists(f"{{{shop.id}}}:operations:staff:1")
    await redis.aclose()


async def test_slots_of_a_process_that_was_killed_come_back(redis_url, shop):
    redis = connect(redis_url)
    key, client = f"{{{shop.id}}}:operations:staff:1", (shop.id, "staff:1")
    seconds, _ = await redis.time()
    await redis.hset(key, "killed", f"10 {seconds + 1}")
    slots = Slots(InRedis(redis), limit=10)
    assert not await slots.take(client)
    await redis.hset(key, "killed", f"10 {seconds - 1}")
    assert await slots.take(client)
    assert 0 < await redis.ttl(key) <= LIFETIME_SECONDS
    assert await redis.hlen(key) == 1
    slots.give_back(client)
    await slots.close()


async def test_a_beat_tells_of_every_client(redis_url, shop, monkeypatch):
    # Where Redis is late, a process counts for itself.
    monkeypatch.setattr(slots_module, "TIMEOUT_SECONDS", 60)
    slots, other = (Slots(InRedis(from_url(redis_url)), limit=10) for _ in range(2))
    clients = [(shop.id, f"staff:{number}") for number in range(2 * BATCH + 1)]
    for client in clients:
        assert await slots.take(client)
    await slots.beat()
    assert slots.clients == len(clients)
    for client in clients[::BATCH]:
        assert [await other.take(client) for _ in range(10)] == [True] * 9 + [False]
    for client in clients:
        slots.give_back(client)
    await slots.beat()
    assert slots.clients == 0
    for client in clients[::BATCH]:
        assert await other.take(client)
    await slots.close()
    await other.close()


async def test_each_process_counts_for_itself_while_redis_is_away(shop):
    slots = Slots(InRedis(connect("redis://127.0.0.1:1/0")), limit=2)
    client = shop.id, "staff:1"
    assert [await slots.take(client) for _ in range(3)] == [True, True, False]
    await slots.close()


async def test_takers_at_the_same_time_get_what_there_is(redis_url, shop):
    for store in (Alone(), InRedis(connect(redis_url))):
        slots = Slots(store, limit=30)
        taken = await asyncio.gather(*(slots.take((shop.id, "staff:1")) for _ in range(50)))
        assert sum(taken) == 30
        for _ in range(30):
            slots.give_back((shop.id, "staff:1"))
        await slots.close()


async def test_client_with_too_many_operations_is_refused(settings, shop):
    bounds = Bounds(operations_per_client=1)
    async with endpoint(settings, bounds) as server, socket(server.url, introduce=shop) as client:
        for number in range(5):
            await client.subscribe(str(number), SHOP_NAME)
        received = [await client.receive() for _ in range(6)]
        assert sum(refused(message, "LIMIT_EXCEEDED") for message in received) == 4
        assert (await client.ask("again", SHOP_NAME))["data"]


async def test_drained_process_lets_answers_out_and_nobody_in(settings, shop, database):
    category = await factories.category(database, shop, name="Lamps")
    update = 'mutation($id: ID!) { categoryUpdate(id: $id, input: {name: "Light"}) { category { name } } }'
    async with endpoint(settings) as server, socket(server.url) as client:
        await client.introduce(authorization=bearer(settings, shop))
        async with database.of_tenant(shop.id).write() as transaction:
            await transaction.execute(select(Category.id).with_for_update())
            await client.subscribe("1", update, variables={"id": encode_global_id("Category", category.id)})
            await server.until(lambda: server.sample("galleria_socket_operations_open") == 1)
            draining = asyncio.create_task(server.sockets.drain(5))
            async with socket(server.url) as late:
                assert (await late.closed())[0] == 1012
        assert (await client.receive())["payload"]["data"] == {"categoryUpdate": {"category": {"name": "Light"}}}
        assert (await client.receive())["type"] == "complete"
        assert (await client.closed()) == (1012, "Connect again.")
        await draining


async def test_sockets_are_drained_one_after_the_other(settings, shop):
    loop = asyncio.get_running_loop()

    async def lasts(client: Client) -> float:
        assert (await client.closed())[0] == 1012
        return loop.time()

    async with endpoint(settings) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(socket(server.url, introduce=shop)) for _ in range(5)]
        ending = asyncio.gather(*map(lasts, clients))
        began = loop.time()
        await server.sockets.drain(1.0)
        ends = sorted(await ending)
        assert ends[0] - began < 0.5 * (ends[-1] - began)
        assert 0.7 < ends[-1] - began < 10.0
        await server.until(lambda: server.sockets.count == 0)


def test_pace_forgives_what_lies_back():
    pace = Pace(Bounds(message_burst=2, messages_per_second=10, patience_seconds=1), 0.0)
    assert [pace.pause(0.0) for _ in range(2)] == [0.0, 0.0]
    assert pace.pause(0.0) == 0.1
    assert pace.pause(10.0) == 0.0
    for _ in range(20):
        pace.pause(10.0)
    assert pace.pause(11.5) is None


def test_origins_that_may_connect():
    allowed = frozenset({"https://shop.example"})
    assert may_connect(None, "api.example", allowed=allowed)
    assert may_connect("https://shop.example", "api.example", allowed=allowed)
    assert may_connect("https://API.example", "api.example", allowed=allowed)
    assert may_connect("https://evil.example", "api.example", allowed=frozenset({"*"}))
    for origin in (
        "https://evil.example",
        "https://api.example.evil",
        "null",
        "",
        "https://",
        "http://[",
        "api.example",
    ):
        assert not may_connect(origin, "api.example", allowed=allowed)


async def test_allowed_origin_may_connect(settings, shop):
    async with (
        endpoint(settings, origins=frozenset({"https://shop.example"})) as server,
        socket(server.url, origin="https://shop.example") as client,
    ):
        await client.send({"type": "connection_init", "payload": {"galleria-shop": shop.slug}})
        assert await client.receive() == ACK
