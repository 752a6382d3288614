"""Points that a process holds ahead, and stores that are out of reach."""

import asyncio
import contextlib
import dataclasses
import signal
import uuid

import pytest
from redis.exceptions import ConnectionError as Unreachable

from core import guarded_buckets, redis_buckets
from core.errors import BucketsUnavailable
from core.guarded_buckets import GuardedBuckets
from core.leases import PATIENCE_SECONDS, Lease, Leases, Refusal
from core.rate_limit import MICRO, Account, BucketsInProcess, Rate, Terms, Trade
from core.redis_buckets import BucketsInRedis
from tests import servers

TERMS = Terms(Rate(2_000, 100), Rate(40_000, 2_000))
SLOW = Terms(Rate(1_000, 1), Rate(10_000, 1))
KEY = (uuid.UUID(int=1), "customer:1")


@dataclasses.dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self):
        return self.now


class World:
    """Buckets in the process and leases of them, by one clock that the test turns."""

    def __init__(self, **options):
        self.clock = Clock()
        self.buckets = BucketsInProcess(timer=lambda: round(self.clock.now * MICRO))
        self.leases = Leases(self.buckets, timer=self.clock, **options)

    async def charge(self, need, key=KEY, terms=TERMS):
        return self.leases.charge_at_once(key, need) or await self.leases.charge(key, terms, need)

    async def left(self, key=KEY, terms=TERMS):
        balance = await self.buckets.trade(Account(str(key[0]), key[1], terms), Trade())
        return terms.own.capacity - balance.debt.own / MICRO


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.leases.close()


@pytest.fixture
async def redis(redis_url):
    client = redis_buckets.connect(redis_url)
    yield client
    await client.aclose()


async def test_the_second_charge_takes_a_lease_and_the_next_need_no_trade(world):
    assert (await world.charge(10)).points == 0
    lease = await world.charge(10)
    assert (lease.points, world.leases.trades) == (200, 2)
    for spent in range(1, 21):
        assert (await world.charge(10)).points == 200 - spent * 10
    assert (world.leases.trades, world.leases.charged_at_once) == (2, 20)
    assert (await world.charge(10)).points == 200
    assert world.leases.trades == 3
    assert await world.left() == 2_000 - 23 * 10 - 200


async def test_a_charge_dearer_than_the_lease_brings_it_along(world):
    await world.charge(10)
    await world.charge(10)
    assert (await world.charge(900)).points == 200
    assert await world.left() == 2_000 - 920 - 200


async def test_the_last_point_can_be_spent(world):
    for need in (10, 10, 990, 900, 90):
        assert isinstance(await world.charge(need), Lease)
    refusal = await world.charge(1)
    assert isinstance(refusal, Refusal)
    assert refusal.wait == (MICRO // 100, True)
    assert refusal.lease.available(world.clock.now) == 0


async def test_nothing_is_held_where_half_is_spent(world):
    for _ in range(3):
        assert (await world.charge(400)).points in {0, 200}
    assert (await world.charge(400)).points == 0
    assert await world.left() == 400


async def test_a_lease_ends_after_a_second(world):
    await world.charge(10)
    await world.charge(10)
    world.clock.now += 1
    assert world.leases.charge_at_once(KEY, 10) is None
    # Its 200 points go back first, and 100 have come back meanwhile: the bucket is full.
    await world.charge(10)
    assert await world.left() == 2_000 - 10 - 200


async def test_what_is_idle_goes_back(world):
    await world.charge(10)
    await world.charge(10)
    await world.leases.sweep()
    assert await world.left() == 1_780
    world.clock.now += 1
    await world.leases.sweep()
    assert await world.left() == 2_000
    assert (len(world.leases), world.leases.points) == (0, 0)


async def test_closing_gives_everything_back(world):
    await world.charge(10)
    await world.charge(10)
    await world.leases.close()
    assert await world.left() == 1_980


async def test_a_refund_is_spent_before_anything_is_taken(world):
    await world.charge(10)
    lease = await world.charge(100)
    world.leases.refund(lease, 60)
    # More than a lease may be goes back at once, together with the lease.
    await asyncio.wait([lease.returning])
    assert (lease.points, await world.left()) == (0, 2_000 - 50)
    assert lease.available(world.clock.now) == 1_950


async def test_a_small_refund_stays(world):
    await world.charge(10)
    lease = await world.charge(100)
    assert await world.charge(50) is lease
    world.leases.refund(lease, 40)
    assert (lease.points, lease.returning) == (190, None)
    assert lease.available(world.clock.now) == 2_000 - 10 - 100 - 10


async def test_a_refund_of_a_poor_account_goes_back_at_once_and_is_awaited_by_its_next_charge(world):
    await world.charge(1_000)
    lease = await world.charge(1_000)
    assert isinstance(await world.charge(500), Refusal)
    world.leases.refund(lease, 500)
    assert await world.charge(500) is lease
    assert await world.left() == 0


async def test_a_refund_after_the_account_was_forgotten_goes_back(world):
    lease = await world.charge(500)
    world.clock.now += 1
    await world.leases.sweep()
    world.leases.refund(lease, 300)
    await asyncio.wait([lease.returning])
    assert await world.left() == 2_000 - 500 + 100 + 300


async def test_a_refusal_holds_for_a_moment_without_asking_again(world):
    await world.charge(2_000)
    first = await world.charge(500)
    assert first.wait.microseconds == 5 * MICRO
    world.clock.now += PATIENCE_SECONDS / 2
    again = await world.charge(501)
    assert (again.wait.microseconds, world.leases.trades) == (pytest.approx((5 - PATIENCE_SECONDS / 2) * MICRO), 2)
    # A smaller one may pass, so it asks.
    assert isinstance(await world.charge(5), Lease)
    assert world.leases.trades == 3
    await world.charge(500)
    world.clock.now += PATIENCE_SECONDS
    await world.charge(500)
    assert world.leases.trades == 5


async def test_the_greedy_do_not_starve_the_polite(world):
    """Fifty principals want five times what the shared bucket gives; one wants less than its share, in large pieces."""
    terms = Terms(Rate(2_000, 100), Rate(20_000, 1_000), yielded=5_000)
    greedy = [(KEY[0], f"greedy {number}") for number in range(50)]
    polite = (KEY[0], "polite")
    taken = dict.fromkeys(greedy, 0)
    for second in range(120):
        for key in greedy:
            while isinstance(await world.charge(50, key, terms), Lease):
                taken[key] += 50
        if second % 40 == 39:
            assert isinstance(await world.charge(200, polite, terms), Lease), second
        world.clock.now += 1
        await world.leases.sweep()
    assert 20_000 * 3 / 4 + 120 * 1_000 * 0.9 < sum(taken.values()) <= 20_000 + 120 * 1_000


async def test_so_many_accounts_are_kept_in_mind():
    world = World(size=10)
    keys = [(KEY[0], f"customer:{number}") for number in range(20)]
    for key in keys:
        lease = await world.charge(100, key)
        world.leases.refund(lease, 60)
    assert len(world.leases) == 10
    await world.leases.close()
    assert [await world.left(key) for key in keys] == [1_960] * 20


async def test_processes_together_never_spend_more_than_there_is(redis):
    key = (uuid.uuid4(), "customer:1")
    buckets = BucketsInRedis(redis)
    first = await buckets.trade(Account(str(key[0]), key[1], SLOW), Trade())
    processes = [Leases(BucketsInRedis(redis)) for _ in range(3)]
    spent = 0

    async def spend(leases, need):
        nonlocal spent
        for _ in range(60):
            if isinstance(leases.charge_at_once(key, need) or await leases.charge(key, SLOW, need), Lease):
                spent += need

    await asyncio.gather(*(spend(leases, need) for leases in processes for need in (3, 7, 11, 40)))
    held = sum(leases.points for leases in processes)
    assert sum(leases.charged_at_once for leases in processes) > 20
    last = await buckets.trade(Account(str(key[0]), key[1], SLOW), Trade())
    came_back = (last.at - first.at) / MICRO
    left = SLOW.own.capacity - last.debt.own / MICRO
    assert 1_000 <= spent + held + left <= 1_000 + came_back
    # Near the end nobody holds anything, so all but what is too little for the cheapest charge is spent.
    assert spent > 1_000 - 3
    for leases in processes:
        await leases.close()


async def test_a_lease_adds_a_tenth_to_a_burst_at_most(world):
    other = Leases(world.buckets, timer=world.clock)
    for leases in (world.leases, other):
        await leases.charge(KEY, TERMS, 1)
        await leases.charge(KEY, TERMS, 1)
    held = world.leases.points + other.points
    assert held == 400
    # The bucket fills up behind the leases, which is what bounds the burst.
    world.clock.now += 0.999
    spent = 0
    for leases in (world.leases, other):
        while (leases.charge_at_once(KEY, 10) or await leases.charge(KEY, TERMS, 10)).__class__ is Lease:
            spent += 10
    assert 2_000 < spent + 4 <= 2_000 + 100


class Remote:
    """Stands in for a store of another machine, which answers or does not as the test says."""

    def __init__(self):
        self.kept = BucketsInProcess()
        self.calls = 0
        self.failure = None
        self.hangs = False

    async def trade(self, account, trade):
        await self._reach()
        return await self.kept.trade(account, trade)

    async def give_back(self, returned):
        await self._reach()
        await self.kept.give_back(returned)

    async def _reach(self):
        self.calls += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@dataclasses.dataclass
class Guarded:
    remote: Remote
    clock: Clock
    reports: list
    buckets: GuardedBuckets

    @classmethod
    def of(cls, *, local):
        remote, clock, reports = Remote(), Clock(), []
        return cls(remote, clock, reports, GuardedBuckets(remote, local, report=reports.append, timer=clock))


ACCOUNT = Account("tenant", "a", SLOW)


@pytest.mark.parametrize("failure", [Unreachable("refused"), OSError("unreachable"), TimeoutError()])
async def test_another_store_stands_in_for_one_that_fails(failure):
    guarded = Guarded.of(local=BucketsInProcess())
    assert (await guarded.buckets.trade(ACCOUNT, Trade(need=900))).granted == 900
    guarded.remote.failure = failure
    assert (await guarded.buckets.trade(ACCOUNT, Trade(need=800))).granted == 800
    assert (await guarded.buckets.trade(ACCOUNT, Trade(need=800))).granted is None
    assert (guarded.remote.calls, guarded.reports) == (2, [failure])


async def test_a_store_that_fails_is_asked_again_after_a_second():
    guarded = Guarded.of(local=BucketsInProcess())
    guarded.remote.failure = failure = OSError("unreachable")
    for _ in range(5):
        await guarded.buckets.trade(ACCOUNT, Trade(need=1))
    guarded.clock.now += guarded_buckets.PAUSE_SECONDS
    for _ in range(5):
        await guarded.buckets.give_back([(ACCOUNT, 1)])
    assert (guarded.remote.calls, guarded.reports) == (2, [failure, failure])
    guarded.remote.failure = None
    guarded.clock.now += guarded_buckets.PAUSE_SECONDS
    for _ in range(5):
        assert (await guarded.buckets.trade(ACCOUNT, Trade(need=100))).granted == 100
    assert (guarded.remote.calls, guarded.reports) == (7, [failure, failure, None])


async def test_one_call_finds_out_whether_the_store_is_back(monkeypatch):
    monkeypatch.setattr(guarded_buckets, "TIMEOUT_SECONDS", 0.01)
    guarded = Guarded.of(local=BucketsInProcess())
    guarded.remote.hangs = True
    await guarded.buckets.trade(ACCOUNT, Trade(need=1))
    guarded.clock.now += guarded_buckets.PAUSE_SECONDS
    await asyncio.gather(*(guarded.buckets.trade(ACCOUNT, Trade(need=1)) for _ in range(20)))
    assert guarded.remote.calls == 2
    assert [type(report) for report in guarded.reports] == [TimeoutError, TimeoutError]


async def test_without_another_store_a_charge_is_refused_and_a_return_lost():
    guarded = Guarded.of(local=None)
    guarded.remote.failure = OSError("unreachable")
    with pytest.raises(BucketsUnavailable):
        await guarded.buckets.trade(ACCOUNT, Trade(need=1))
    await guarded.buckets.give_back([(ACCOUNT, 1)])


async def until(condition):
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - only a further call finds out.
            await asyncio.sleep(0.02)


async def test_redis_dies_hangs_and_comes_back():
    with servers.free_port() as reserved:
        port = reserved.getsockname()[1]
    client, reports = redis_buckets.connect(f"redis://127.0.0.1:{port}/0"), []
    guarded = GuardedBuckets(BucketsInRedis(client), BucketsInProcess(), report=reports.append)
    terms = Terms(Rate(1_000, 1), Rate(10_000, 1))
    account = Account("tenant", "a", terms)

    async def debt():
        return -(-(await guarded.trade(account, Trade())).debt.own // MICRO)

    async def is_back():
        # Only Redis has not seen what was spent meanwhile.
        return await debt() == 0

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(client.aclose)
        with servers.redis_at(port) as process:
            await guarded.trade(account, Trade(need=600))
            assert (await debt(), reports) == (600, [])
            process.kill()
            process.wait()
            assert (await guarded.trade(account, Trade(need=700))).granted == 700
            assert 690 < await debt() <= 700
        with servers.redis_at(port) as process:
            await until(is_back)
            assert reports[-1] is None
            process.send_signal(signal.SIGSTOP)
            assert 690 < await debt() <= 700
            assert isinstance(reports[-1], Exception)
            process.send_signal(signal.SIGCONT)
            await until(is_back)
            assert reports[-1] is None
