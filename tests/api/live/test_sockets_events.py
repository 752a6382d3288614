"""Subscriptions over sockets: opened, followed, ended, and gone on with."""

import asyncio

from server.live.bounds import Bounds
from tests.api.live.sockets import SHOP_NAME, Client, endpoint, refused, socket
from tests.api.live.test_sockets_callers import bearer

EVENTS = "subscription($after: BigInt) { events(after: $after) { ... on ShopEvent { sequence type } } }"
CREATE = "mutation($name: String!) { categoryCreate(input: {name: $name}) { category { name } } }"


async def change(client: Client, number: int = 0) -> None:
    """Let something happen, by the same socket."""
    await client.subscribe(f"change {number}", CREATE, variables={"name": f"Category {number}"})


async def heard(client: Client, name: str = "live") -> int:
    """Wait until a subscription hears of a category, and return the sequence; the shop itself is new as well."""
    while True:
        message = await client.receive()
        assert message["type"] in {"next", "complete"}, message
        if message["id"] == name:
            event = message["payload"]["data"]["events"]
            if event["type"] == "CATEGORY_CREATED":
                return int(event["sequence"])


async def test_events_come_until_the_client_completes(settings, shop):
    async with endpoint(settings) as server, socket(server.url) as client:
        await client.introduce(authorization=bearer(settings, shop))
        await client.subscribe("live", EVENTS)
        await client.subscribe("other", EVENTS)
        # A second one shows that the first is open: both are opened in order.
        await server.until(lambda: server.open_subscriptions == 2)
        await change(client)
        first = await heard(client)
        await client.send({"type": "complete", "id": "live"})
        await server.until(lambda: server.open_subscriptions == 1)
        await change(client, 1)
        received = []
        while not received or received[-1]["id"] != "other" or len(received) < 3:
            received.append(await client.receive())
        assert all(message["id"] != "live" for message in received)
        assert first > 0


async def test_events_that_were_missed_come_first(settings, shop):
    async with endpoint(settings) as server:
        async with socket(server.url) as client:
            await client.introduce(authorization=bearer(settings, shop))
            await client.subscribe("live", EVENTS)
            await server.until(lambda: server.open_subscriptions == 1)
            await change(client)
            last = await heard(client)
        await server.until(lambda: server.open_subscriptions == 0)
        async with socket(server.url) as client:
            await client.introduce(authorization=bearer(settings, shop))
            for number in range(3):
                await client.ask(str(number), CREATE, variables={"name": f"Category {number}"})
            await client.subscribe("live", EVENTS, variables={"after": str(last)})
            assert [await heard(client) for _ in range(3)] == [last + 1, last + 2, last + 3]


async def test_subscription_that_may_not_be_opened_is_refused_alone(settings, shop):
    async with endpoint(settings) as server, socket(server.url, introduce=shop) as client:
        await client.subscribe("live", EVENTS)
        assert refused(await client.receive(), "UNAUTHENTICATED")
        for cursor in ("-1", "x", "99999999999999999999", "9223372036854775807"):
            await client.subscribe(
                "live", "subscription($a: BigInt) { stockChanged(after: $a) { __typename } }", variables={"a": cursor}
            )
            assert refused(await client.receive(), "BAD_USER_INPUT")
        assert (await client.ask("1", SHOP_NAME))["data"]
        assert server.open_subscriptions == 0
        assert server.sample("galleria_socket_operations_open") == 0


async def test_subscriptions_of_a_socket_are_counted(settings, shop):
    async with endpoint(settings, Bounds(operations=3)) as server, socket(server.url) as client:
        await client.introduce(authorization=bearer(settings, shop))
        for number in range(4):
            await client.subscribe(str(number), EVENTS)
        refusal = await client.receive()
        assert (refusal["id"], refused(refusal, "LIMIT_EXCEEDED")) == ("3", True)
        await server.until(lambda: server.open_subscriptions == 3)
        await client.subscribe("0", EVENTS)
        assert (await client.closed())[0] == 4409
        await server.until(lambda: server.open_subscriptions == 0)
        assert server.sample("galleria_socket_operations_open") == 0


async def test_drained_subscriptions_know_where_to_go_on(settings, shop):
    async with endpoint(settings) as server, socket(server.url) as client:
        await client.introduce(authorization=bearer(settings, shop))
        await client.subscribe("live", EVENTS)
        await server.until(lambda: server.open_subscriptions == 1)
        await change(client)
        last = await heard(client)
        draining = asyncio.create_task(server.sockets.drain(0.2))
        message = await client.receive()
        while message["type"] != "ping":
            assert message["id"] != "live"
            message = await client.receive()
        assert message == {"type": "ping", "payload": {"resume": {"live": last}}}
        assert await client.closed() == (1012, f"resume={last}")
        await draining
        assert server.open_subscriptions == 0


async def test_event_reaches_all_though_one_reads_nothing(settings, shop):
    bounds = Bounds(waiting_frames=4, message_burst=10_000)
    async with endpoint(settings, bounds) as server, socket(server.url) as slow, socket(server.url) as client:
        for each in (slow, client):
            await each.introduce(authorization=bearer(settings, shop))
            await each.subscribe("live", EVENTS)
        await server.until(lambda: server.open_subscriptions == 2)
        slow.connection.transport.pause_reading()
        # What the slow one asks for fills its way, as events of days would.
        text = "x" * 100_000
        for _ in range(200):
            await slow.send({"type": "ping", "payload": {"a": text}})
            if server.sample("galleria_socket_overruns_total"):
                break
        await change(client)
        assert await heard(client) > 0
        await server.until(lambda: server.open_subscriptions == 1)
        slow.connection.transport.resume_reading()
        assert (await slow.closed())[0] == 1013
