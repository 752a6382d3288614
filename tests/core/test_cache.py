"""Finished answers: kept within bounds, made once, never mixed up, and not lost with Redis."""

import asyncio
import collections
import contextlib
import uuid

import pytest
import redis.asyncio

from core import shared_cache
from core.cache import Cache, Entry, Key, Memory
from core.shared_cache import RedisStore
from tests import servers

BODY = b'{"data":{"name":"Lamp"}}'


class Timer:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Maker:
    """Makes a body when it is let, and counts how often it was asked to."""

    def __init__(self, body=BODY):
        self.calls = 0
        self.body = body
        self.started = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self):
        self.calls += 1
        self.started.set()
        await self.may_end.wait()
        if isinstance(self.body, BaseException):
            raise self.body
        return self.body

    def at_once(self):
        self.may_end.set()
        return self


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def key():
    return Key(uuid.uuid4(), b"{ name }")


@pytest.fixture
def cache(timer):
    return Cache(Memory(1_000_000, timer=timer), timer=timer)


@pytest.fixture
async def client(redis_url):
    opened = redis.asyncio.from_url(redis_url)
    yield opened
    await opened.aclose()


@pytest.fixture
def counted():
    return collections.Counter()


@pytest.fixture
def processes(client, timer, counted):
    """Two caches as two processes have them, with one Redis."""

    def count(layer, result):
        counted[layer, result] += 1

    def one():
        shared = RedisStore(client, count=count, timer=timer)
        return Cache(Memory(1_000_000, timer=timer), shared=shared, count=count, timer=timer)

    return one(), one()


async def test_a_body_is_made_once_and_then_found(cache, key):
    maker = Maker().at_once()
    made = await cache.get_or_make(key, "1", 60, maker)
    assert made.body == BODY
    assert cache.peek(key, "1") is made
    assert await cache.get_or_make(key, "1", 60, maker) is made
    assert maker.calls == 1


async def test_another_state_another_tenant_and_another_name_are_other_answers(cache, key):
    await cache.get_or_make(key, "1", 60, Maker().at_once())
    assert cache.peek(key, "2") is None
    assert cache.peek(Key(uuid.uuid4(), key.name), "1") is None
    assert cache.peek(Key(key.tenant, b"{ slug }"), "1") is None


async def test_an_entry_ends_with_its_lifetime_and_not_long_before(cache, key, timer):
    made = await cache.get_or_make(key, "1", 60, Maker().at_once())
    assert 54 <= made.lifetime_seconds <= 60
    timer.now += 53
    assert cache.age_of(made) == 53
    assert cache.peek(key, "1") is made
    timer.now += 7
    assert cache.peek(key, "1") is None


async def test_lifetimes_are_spread(cache, key):
    lifetimes = set()
    for number in range(20):
        made = await cache.get_or_make(Key(key.tenant, b"%d" % number), "1", 60, Maker().at_once())
        lifetimes.add(made.lifetime_seconds)
    assert len(lifetimes) == 20


async def test_the_memory_is_bounded_and_drops_what_was_not_used_for_longest(timer, key):
    memory = Memory(10_000, timer=timer)
    cache = Cache(memory, timer=timer)
    keys = [Key(key.tenant, b"%02d" % number) for number in range(20)]
    for each in keys[:9]:
        await cache.get_or_make(each, "1", 60, Maker(b"x" * 500).at_once())
    assert cache.peek(keys[0], "1") is not None
    for each in keys[9:13]:
        await cache.get_or_make(each, "1", 60, Maker(b"x" * 500).at_once())
    assert memory.bytes <= 10_000
    assert cache.peek(keys[0], "1") is not None
    assert cache.peek(keys[1], "1") is None


async def test_an_entry_that_would_sweep_out_the_others_is_not_kept(timer, key):
    memory = Memory(10_000, timer=timer)
    cache = Cache(memory, timer=timer)
    made = await cache.get_or_make(key, "1", 60, Maker(b"x" * 2_000).at_once())
    assert len(made.body) == 2_000
    assert (len(memory), memory.bytes) == (0, 0)


async def test_an_entry_takes_the_place_of_the_one_before(timer, key):
    memory = Memory(10_000, timer=timer)
    cache = Cache(memory, timer=timer)
    await cache.get_or_make(key, "1", 60, Maker(b"x" * 100).at_once())
    size = memory.bytes
    await cache.get_or_make(key, "2", 60, Maker(b"y" * 100).at_once())
    assert (len(memory), memory.bytes) == (1, size)
    assert cache.peek(key, "1") is None


async def test_fifty_who_ask_at_once_share_one_making(cache, key):
    maker = Maker()
    waiting = [asyncio.create_task(cache.get_or_make(key, "1", 60, maker)) for _ in range(50)]
    await maker.started.wait()
    maker.may_end.set()
    made = await asyncio.gather(*waiting)
    assert maker.calls == 1
    assert {each.body for each in made} == {BODY}


async def test_who_asks_after_a_change_does_not_share_what_began_before_it(cache, key):
    old, new = Maker(b"old"), Maker(b"new")
    first = asyncio.create_task(cache.get_or_make(key, "1", 60, old))
    await old.started.wait()
    second = asyncio.create_task(cache.get_or_make(key, "2", 60, new))
    await new.started.wait()
    new.may_end.set()
    assert (await second).body == b"new"
    old.may_end.set()
    assert (await first).body == b"old"
    # The older one came last, and is not mistaken for the newer.
    assert cache.peek(key, "2") is None


async def test_another_leads_when_the_leader_is_cancelled(cache, key):
    cancelled, other = Maker(), Maker().at_once()
    first = asyncio.create_task(cache.get_or_make(key, "1", 60, cancelled))
    await cancelled.started.wait()
    second = asyncio.create_task(cache.get_or_make(key, "1", 60, other))
    # One turn of the loop, in which the second begins to wait for the first.
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).body == BODY
    assert other.calls == 1
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.mark.parametrize("outcome", [None, ValueError("broken")])
async def test_what_must_not_be_kept_is_kept_by_nobody_and_held_up_by_nobody(cache, key, outcome):
    maker, never = Maker(outcome), Maker()
    first = asyncio.create_task(cache.get_or_make(key, "1", 60, maker))
    await maker.started.wait()
    others = [asyncio.create_task(cache.get_or_make(key, "1", 60, never)) for _ in range(5)]
    await asyncio.sleep(0)
    maker.may_end.set()
    assert await asyncio.gather(*others) == [None] * 5
    assert never.calls == 0
    with contextlib.suppress(ValueError):
        assert await first is None
    assert cache.peek(key, "1") is None


async def test_another_process_finds_what_one_has_made(processes, key, timer, counted):
    first, second = processes
    made = await first.get_or_make(key, "1", 60, Maker().at_once())
    timer.now += 10
    maker = Maker()
    found = await second.get_or_make(key, "1", 60, maker)
    assert (found.body, found.tag, maker.calls) == (made.body, made.tag, 0)
    assert counted == {
        ("process", "miss"): 2,
        ("shared", "miss"): 1,
        ("shared", "hit"): 1,
    }
    assert second.peek(key, "1") is found


async def test_the_age_of_an_entry_goes_with_it(processes, key, client):
    first, second = processes
    await first.get_or_make(key, "1", 60, Maker().at_once())
    name = (await client.keys(f"galleria:{{{key.tenant}}}:answer:*"))[0]
    await client.pexpire(name, 20_000)
    found = await second.get_or_make(key, "1", 60, Maker())
    assert found.lifetime_seconds - second.age_of(found) == pytest.approx(20, abs=1)


async def test_another_process_does_not_find_an_older_state(processes, key):
    first, second = processes
    await first.get_or_make(key, "1", 60, Maker(b"old").at_once())
    assert (await second.get_or_make(key, "2", 60, Maker(b"new").at_once())).body == b"new"
    assert (await first.get_or_make(key, "2", 60, Maker())).body == b"new"


async def test_two_processes_make_an_answer_once(processes, key):
    first, second = processes
    maker, never = Maker(), Maker()
    leading = asyncio.create_task(first.get_or_make(key, "1", 60, maker))
    await maker.started.wait()
    following = asyncio.create_task(second.get_or_make(key, "1", 60, never))
    await asyncio.sleep(0)
    maker.may_end.set()
    assert (await following).body == (await leading).body
    assert (maker.calls, never.calls) == (1, 0)


async def test_a_process_that_died_while_making_holds_nobody_up_for_long(key, client, monkeypatch):
    monkeypatch.setattr(shared_cache, "WAIT_SECONDS", 0.03)
    store = RedisStore(client)
    assert await store.claim(key, "1")
    assert not await store.claim(key, "1")
    other = Cache(Memory(1_000_000), shared=RedisStore(client))
    assert (await other.get_or_make(key, "1", 60, Maker().at_once())).body == BODY


async def test_a_claim_ends_with_a_making_that_is_cancelled_or_kept_by_nobody(processes, key, client):
    first, _ = processes
    assert await first.get_or_make(key, "1", 60, Maker(None).at_once()) is None
    maker = Maker()
    task = asyncio.create_task(first.get_or_make(key, "1", 60, maker))
    await maker.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.gather(*first._releases)
    assert await client.keys(f"galleria:{{{key.tenant}}}:*") == []


def damaged(value, change):
    head, _, body = value.partition(b"\n")
    return change(head, body)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda head, body: (head + b"\n" + body)[:-5], id="truncated body"),
        pytest.param(lambda head, _: head[:20], id="truncated head"),
        pytest.param(lambda head, body: head + b"\n" + body.replace(b"Lamp", b"Pram"), id="other body"),
        pytest.param(lambda head, body: head.replace(b'"tenant":"', b'"tenant":"0') + b"\n" + body, id="other tenant"),
        pytest.param(lambda head, body: head.replace(b'"key":"', b'"key":"0') + b"\n" + body, id="other key"),
        pytest.param(lambda _, __: b"", id="empty"),
        pytest.param(lambda _, __: b"[]\n", id="no object"),
        pytest.param(lambda _, __: b"\xff\xfe", id="no text"),
    ],
)
async def test_a_damaged_value_is_refused(processes, key, client, counted, change):
    first, second = processes
    await first.get_or_make(key, "1", 60, Maker().at_once())
    name = (await client.keys(f"galleria:{{{key.tenant}}}:answer:*"))[0]
    await client.set(name, damaged(await client.get(name), change), px=60_000)
    assert (await second.get_or_make(key, "1", 60, Maker(b"anew").at_once())).body == b"anew"
    assert counted["shared", "refused"] == 1


async def test_a_value_of_another_tenant_in_our_place_is_refused(processes, key, client, counted):
    first, second = processes
    theirs = Key(uuid.uuid4(), key.name)
    for each in (key, theirs):
        await first.get_or_make(each, "1", 60, Maker(each.tenant.bytes).at_once())
    ours = (await client.keys(f"galleria:{{{key.tenant}}}:answer:*"))[0]
    other = (await client.keys(f"galleria:{{{theirs.tenant}}}:answer:*"))[0]
    await client.set(ours, await client.get(other), px=60_000)
    assert (await second.get_or_make(key, "1", 60, Maker(b"anew").at_once())).body == b"anew"
    assert counted["shared", "refused"] == 1


async def test_a_redis_that_is_killed_is_missed_by_nobody(key, timer, counted):
    def count(layer, result):
        counted[layer, result] += 1

    with contextlib.ExitStack() as stack:
        client = redis.asyncio.from_url(stack.enter_context(servers.redis()))
        caches = [
            Cache(
                Memory(1_000_000, timer=timer),
                shared=RedisStore(client, count=count, timer=timer),
                timer=timer,
            )
            for _ in range(2)
        ]
        await caches[0].get_or_make(key, "1", 60, Maker().at_once())
        stack.close()
        async with asyncio.timeout(5):
            for number in range(5):
                made = await caches[1].get_or_make(Key(key.tenant, b"%d" % number), "1", 60, Maker(b"x").at_once())
                assert made.body == b"x"
        assert caches[0].peek(key, "1").body == BODY
        # Only the first of them asked; the others were spared the wait.
        assert counted["shared", "error"] == 1
        await client.aclose()


async def test_a_redis_that_is_slow_costs_one_wait_and_is_asked_again_later(key, timer, counted):
    def count(layer, result):
        counted[layer, result] += 1

    with contextlib.ExitStack() as stack:
        client = redis.asyncio.from_url(stack.enter_context(servers.redis()))
        cache = Cache(Memory(1_000_000, timer=timer), shared=RedisStore(client, count=count, timer=timer), timer=timer)
        await client.client_pause(500)
        await cache.get_or_make(key, "1", 60, Maker().at_once())
        await cache.get_or_make(key, "2", 60, Maker().at_once())
        assert counted["shared", "error"] == 1
        timer.now += 2
        await client.ping()
        await cache.get_or_make(key, "3", 60, Maker().at_once())
        assert len(await client.keys(f"galleria:{{{key.tenant}}}:*")) == 1
        await client.aclose()


def test_the_hottest_of_another_state_are_told_and_count_for_half_then(timer):
    memory, tenant = Memory(1_000_000, timer=timer), uuid.uuid4()
    keys = [Key(tenant, bytes([number])) for number in range(4)]
    for number, key in enumerate(keys):
        memory.put(key, Entry(BODY, "tag", "old", timer(), 60))
        for _ in range(2 * number):
            memory.get(key, "old")
    memory.get(keys[3], "new")
    memory.put(keys[1], Entry(BODY, "tag", "new", timer(), 60))
    unknown = Key(tenant, b"unknown")

    def hottest(**asked):
        return memory.hottest([unknown, *keys], "new", **asked)

    assert hottest(at_most=1, uses=2) == [keys[3]]
    assert hottest(at_most=3, uses=1) == [keys[2], keys[3]]
    assert hottest(at_most=3, uses=2) == [keys[2]]
    assert hottest(at_most=3, uses=1) == [keys[2], keys[3]]
    assert hottest(at_most=3, uses=1) == []


def test_what_is_made_anew_is_as_hot_as_before_and_not_hotter_than_counted(timer):
    memory, key = Memory(1_000_000, timer=timer), Key(uuid.uuid4(), b"")
    memory.put(key, Entry(BODY, "tag", "0", timer(), 60))
    for _ in range(1_000):
        memory.get(key, "0")
    told = 0
    while memory.hottest([key], str(told + 1), at_most=1, uses=1):
        told += 1
        memory.put(key, Entry(BODY, "tag", str(told), timer(), 60))
    assert told == 6
