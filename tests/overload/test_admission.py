"""The limit and the line, apart from any server; and what of the real application they spare."""

import asyncio
import dataclasses
import uuid
from unittest.mock import ANY

import httpx
import pytest

from server.admission import gate as gates
from server.admission import line as lines
from server.admission.gate import Gate
from server.admission.kinds import Kind
from server.admission.limit import HIGHEST, START, TARGET_SECONDS, Limit
from server.admission.line import Line, Waiting
from server.app import create_app
from tests.api.live.sockets import refused, socket
from tests.servers import served

LONG = TARGET_SECONDS * 2


def judged(limit, waited_seconds, *, in_flight=1_000, was_reached=False, times=1):
    for _ in range(times):
        limit.judge(waited_seconds, in_flight=in_flight, was_reached=was_reached)
    return limit.value


def test_a_limit_goes_down_by_a_part_while_operations_wait_and_no_lower_than_the_pool():
    limit = Limit(lowest=20)
    assert limit.value == START
    assert judged(limit, LONG) == int(START * 0.9)
    assert judged(limit, LONG, times=100) == 20


def test_a_limit_goes_up_while_it_is_reached_and_nobody_waits():
    limit = Limit()
    assert judged(limit, 0.0) == START
    assert judged(limit, 0.0, was_reached=True) == START + 1 + START // 20
    assert judged(limit, 0.0, was_reached=True, times=1_000) == HIGHEST


def test_a_limit_that_went_down_comes_back_in_quiet_times():
    limit = Limit()
    assert judged(limit, LONG, times=100) == 1
    assert judged(limit, 0.0, times=100) == START


def test_one_long_operation_lowers_no_limit():
    assert judged(Limit(), LONG, in_flight=START // 2 - 1, times=10) == START


def test_a_limit_that_was_set_stays():
    limit = Limit(7)
    judged(limit, LONG)
    assert judged(limit, 0.0, was_reached=True) == 7


def waiting(kind=Kind.QUERY, lane=None, since=0.0):
    return Waiting(kind, lane, since, start=lambda: True, refuse=lambda _: None)


def test_whoever_waits_is_served_shop_by_shop_and_of_each_shop_by_kind():
    a, b = uuid.uuid4(), uuid.uuid4()
    line = Line()
    came = [
        waiting(Kind.INTROSPECTION, a),
        waiting(Kind.QUERY, a),
        waiting(Kind.QUERY, a),
        waiting(Kind.QUERY, b),
        waiting(Kind.MUTATION, b),
    ]
    for each in came:
        assert line.add(each) is None
    assert line.length == 5
    assert [line.next() for _ in range(6)] == [came[1], came[4], came[2], came[3], came[0], None]
    assert line.length == 0


def test_mutations_of_a_shop_that_floods_displace_and_pass_nobody_of_another(monkeypatch):
    monkeypatch.setattr(lines, "AT_MOST", 3)
    a, b = uuid.uuid4(), uuid.uuid4()
    line = Line()
    of_a = [waiting(Kind.MUTATION, a) for _ in range(3)]
    for each in of_a:
        line.add(each)
    query = waiting(Kind.QUERY, b)
    assert line.add(query) is of_a[2]
    for _ in range(10):
        assert line.add(newcomer := waiting(Kind.MUTATION, a)) is newcomer
    assert [line.next() for _ in range(3)] == [of_a[0], query, of_a[1]]


def test_among_too_many_of_one_shop_the_least_important_leaves(monkeypatch):
    monkeypatch.setattr(lines, "AT_MOST", 3)
    a = uuid.uuid4()
    line = Line()
    introspection, *queries = waiting(Kind.INTROSPECTION, a), waiting(lane=a), waiting(lane=a)
    for each in (introspection, *queries):
        line.add(each)
    mutations = [waiting(Kind.MUTATION, a) for _ in range(4)]
    assert [line.add(each) for each in mutations] == [introspection, queries[1], queries[0], mutations[3]]
    assert [line.next() for _ in range(4)] == [*mutations[:3], None]


def test_where_no_shop_has_more_than_one_the_least_important_leaves(monkeypatch):
    monkeypatch.setattr(lines, "AT_MOST", 3)
    line = Line()
    mutation, query, introspection = (waiting(kind, uuid.uuid4()) for kind in Kind)
    for each in (introspection, query, mutation):
        line.add(each)
    assert line.add(other := waiting(Kind.QUERY, uuid.uuid4())) is introspection
    assert line.add(late := waiting(Kind.QUERY, uuid.uuid4())) is late
    assert line.add(more := waiting(Kind.MUTATION, uuid.uuid4())) is query
    assert [line.next() for _ in range(4)] == [mutation, other, more, None]


def test_whoever_leaves_the_line_frees_his_place():
    a = uuid.uuid4()
    line = Line()
    first, second = waiting(lane=a), waiting(Kind.MUTATION, a)
    for each in (first, second):
        line.add(each)
    line.remove(second)
    assert line.length == 1
    # He is no longer there, whatever became of him.
    line.remove(second)
    line.remove(waiting())
    assert (line.length, line.next(), line.next()) == (1, first, None)


def test_among_too_many_the_last_of_the_longest_lane_leaves(monkeypatch):
    monkeypatch.setattr(lines, "AT_MOST", 4)
    a, b = uuid.uuid4(), uuid.uuid4()
    line = Line()
    of_a = [waiting(lane=a) for _ in range(4)]
    for each in of_a:
        line.add(each)
    more_of_a, first, second, third = waiting(lane=a), waiting(lane=b), waiting(lane=b), waiting(lane=b)
    assert line.add(more_of_a) is more_of_a
    assert line.add(first) is of_a[3]
    assert line.add(second) is of_a[2]
    # Both have as many by now, and who came first stays.
    assert line.add(third) is third
    assert line.add(waiting(Kind.INTROSPECTION, b)) is not None
    assert line.length == 4


def test_those_who_have_waited_too_long_are_taken_out():
    line = Line()
    old = [waiting(since=1.0), waiting(Kind.MUTATION, uuid.uuid4(), since=1.5)]
    young = waiting(since=3.0)
    for each in (*old, young):
        line.add(each)
    assert [line.take_older(kind, 2.0) for kind in Kind] == [[old[1]], [old[0]], []]
    assert (line.length, line.next()) == (1, young)


async def test_a_gate_that_is_cancelled_in_the_moment_it_opens_lets_the_next_in():
    gate = Gate(Limit(1))
    assert gate.take()
    first = asyncio.create_task(gate.admitted(Kind.QUERY, None))
    second = asyncio.create_task(gate.admitted(Kind.QUERY, None))
    await asyncio.sleep(0)
    gate.leave()
    first.cancel()
    await asyncio.wait([first])
    await second
    assert first.cancelled()
    assert gate.in_flight == 1
    gate.leave()
    assert gate.in_flight == 0


async def test_who_is_cancelled_while_he_waits_frees_his_place_at_once():
    gate = Gate(Limit(1))
    assert gate.take()
    asking = asyncio.create_task(gate.admitted(Kind.QUERY, None))
    await asyncio.sleep(0)
    assert gate.waiting == 1
    asking.cancel()
    await asyncio.wait([asking])
    assert gate.waiting == 0
    gate.leave()
    assert gate.in_flight == 0


async def test_a_gate_watches_how_long_operations_wait():
    gate = Gate(limit := Limit(), waits=lambda: LONG)
    for _ in range(START):
        assert gate.take()
    async with asyncio.timeout(10):
        while limit.value >= START // 2:  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.05)
    # One who comes now is let in when so many have left that there is room below the new limit.
    entering = asyncio.create_task(gate.admitted(Kind.QUERY, None))
    await asyncio.sleep(0)
    while gate.in_flight > limit.value:
        gate.leave()
        assert not entering.done()
    gate.leave()
    await entering
    for _ in range(gate.in_flight):
        gate.leave()
    assert gate.in_flight == 0


async def test_a_line_that_does_not_end_makes_patience_short(monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 0.2)
    gate = Gate(Limit(1))
    assert gate.take()
    began = asyncio.get_running_loop().time()
    told = []

    def ask(kind, seconds):
        gate.ask(
            Waiting(kind, None, began - seconds, start=lambda: True, refuse=lambda _: told.append((kind, seconds)))
        )

    # There has been a line for longer than that by now: a query that has not waited half as long goes as well.
    ask(Kind.QUERY, 0.3)
    ask(Kind.QUERY, 0.06)
    ask(Kind.MUTATION, 0.06)
    async with asyncio.timeout(10):
        while len(told) < 3:  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.01)
    assert told == [(Kind.QUERY, 0.3), (Kind.QUERY, 0.06), (Kind.MUTATION, 0.06)]
    gate.leave()


@pytest.fixture
async def full(settings):
    """The real application, whose places are all taken, and where nobody may wait for one."""
    application = create_app(dataclasses.replace(settings, concurrency=1))
    assert application.doorkeeper.gate.take()
    async with served(application) as address:
        yield address, application.doorkeeper.gate


async def test_probes_metrics_and_subscriptions_are_always_served(full, shop, monkeypatch):
    monkeypatch.setattr(lines, "AT_MOST", 0)
    address, gate = full
    async with httpx.AsyncClient(base_url=address, headers={"galleria-shop": shop.slug}) as client:
        assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 503
        for path in ("/livez", "/readyz", "/startupz", "/metrics", "/"):
            assert (await client.get(path)).status_code == 200, path
        text = (await client.get("/metrics")).text
        assert 'galleria_admission_limit{gate="all"} 1.0' in text
        assert 'galleria_admission_in_flight{gate="all"} 1.0' in text
        assert 'galleria_shed_total{class="query",reason="full"} 1.0' in text
        changes = {"query": "subscription { stockChanged { __typename } }"}
        events = {"accept": "text/event-stream"}
        async with client.stream("POST", "/graphql", json=changes, headers=events) as stream:
            assert (stream.status_code, stream.headers["content-type"]) == (
                200,
                "text/event-stream; charset=utf-8",
            )
        # Whoever only says that he wants a stream is refused as all others are.
        query = await client.post("/graphql", json={"query": "{ __typename }"}, headers=events)
        assert "OVERLOADED" in query.text
        gate.leave()
        assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 200
        assert gate.in_flight == 0


async def test_queries_over_sockets_count_too(full, shop, monkeypatch):
    monkeypatch.setattr(lines, "AT_MOST", 0)
    address, gate = full
    async with socket(address, introduce=shop) as client:
        await client.subscribe("1", "{ __typename }")
        assert refused(await client.receive(), "OVERLOADED")
        gate.leave()
        assert await client.ask("2", "{ __typename }") == {"data": {"__typename": "Query"}, "extensions": ANY}
        assert gate.in_flight == 0
