"""Token buckets: the same contract in a process and in Redis."""

import asyncio
import dataclasses
import uuid
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.crc import key_slot

from core import redis_buckets
from core.rate_limit import (
    MICRO,
    RATE_LIMIT,
    Account,
    BucketsInProcess,
    Debt,
    Rate,
    Terms,
    Trade,
    decayed,
    settled,
    wait_for,
)
from core.redis_buckets import BucketsInRedis

SLOW = Terms(Rate(100, 1), Rate(1_000, 1))
"""So slow that nothing comes back within a test: a point a second."""


@dataclasses.dataclass
class Clock:
    now: int = 1_000_000

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
async def redis(redis_url):
    client = redis_buckets.connect(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(scope="module", params=["process", "redis"])
def buckets(request):
    if request.param == "process":
        return BucketsInProcess()
    return BucketsInRedis(request.getfixturevalue("redis"))


@pytest.fixture
def tenant():
    return uuid.uuid4().hex


def points(debt):
    """Return debts in points, rounded up: what comes back between two calls is a part of one."""
    return tuple(-(-each // MICRO) for each in debt)


async def test_a_full_bucket_gives_all_it_holds_and_no_more(buckets, tenant):
    account = Account(tenant, "a", SLOW)
    taken = await buckets.trade(account, Trade(need=100))
    assert (taken.granted, points(taken.debt)) == (100, (100, 100))
    refused = await buckets.trade(account, Trade(need=1))
    assert (refused.granted, points(refused.debt)) == (None, (100, 100))


async def test_principals_share_the_bucket_of_their_tenant_and_no_other(buckets, tenant):
    for name in ("a", "b"):
        assert (await buckets.trade(Account(tenant, name, SLOW), Trade(need=60))).granted == 60
    last = await buckets.trade(Account(tenant, "c", SLOW), Trade(need=1))
    assert points(last.debt) == (1, 121)
    other = await buckets.trade(Account(uuid.uuid4().hex, "a", SLOW), Trade(need=1))
    assert points(other.debt) == (1, 1)


async def test_what_one_bucket_refuses_is_taken_from_neither(buckets, tenant):
    terms = Terms(Rate(100, 1), Rate(150, 1))
    await buckets.trade(Account(tenant, "a", terms), Trade(need=100))
    refused = await buckets.trade(Account(tenant, "b", terms), Trade(need=51))
    assert (refused.granted, points(refused.debt)) == (None, (0, 100))
    assert (await buckets.trade(Account(tenant, "b", terms), Trade(need=50))).granted == 50
    own = await buckets.trade(Account(tenant, "a", terms), Trade(need=1))
    assert (own.granted, points(own.debt)) == (None, (100, 150))


async def test_returned_points_come_first_and_never_overfill(buckets, tenant):
    account = Account(tenant, "a", SLOW)
    await buckets.trade(account, Trade(need=90))
    taken = await buckets.trade(account, Trade(need=30, returned=20))
    assert (taken.granted, points(taken.debt)) == (30, (100, 100))
    await buckets.give_back([(account, 1_000), (Account(tenant, "b", SLOW), 1_000)])
    assert (await buckets.trade(account, Trade(need=101))).granted is None
    full = await buckets.trade(account, Trade(need=100))
    assert (full.granted, points(full.debt)) == (100, (100, 100))


async def test_a_refused_trade_keeps_what_it_returned(buckets, tenant):
    account = Account(tenant, "a", SLOW)
    await buckets.trade(account, Trade(need=100))
    refused = await buckets.trade(account, Trade(need=50, returned=10))
    assert (refused.granted, points(refused.debt)) == (None, (90, 90))


async def test_spare_points_are_a_quarter_of_what_is_left_of_the_upper_half(buckets, tenant):
    account = Account(tenant, "a", SLOW)
    assert (await buckets.trade(account, Trade(need=20, spare=10))).granted == 30
    assert (await buckets.trade(account, Trade(need=10, spare=100))).granted == 25
    assert (await buckets.trade(account, Trade(need=1, spare=100))).granted == 1


async def test_spare_points_leave_the_shared_bucket_its_half(buckets, tenant):
    terms = Terms(Rate(100, 1), Rate(100, 1))
    await buckets.trade(Account(tenant, "a", terms), Trade(need=50))
    assert (await buckets.trade(Account(tenant, "b", terms), Trade(need=1, spare=10))).granted == 1


async def test_the_reserve_of_the_shared_bucket_is_for_other_terms(buckets, tenant):
    shopper = Terms(Rate(100, 1), Rate(200, 1), reserved=50)
    staff = dataclasses.replace(shopper, reserved=0)
    assert (await buckets.trade(Account(tenant, "a", shopper), Trade(need=100))).granted == 100
    assert (await buckets.trade(Account(tenant, "b", shopper), Trade(need=51))).granted is None
    assert (await buckets.trade(Account(tenant, "b", shopper), Trade(need=50))).granted == 50
    assert (await buckets.trade(Account(tenant, "c", staff), Trade(need=50))).granted == 50


async def test_who_has_spent_much_leaves_more_of_the_shared_bucket(buckets, tenant):
    terms = Terms(Rate(100, 1), Rate(200, 1), yielded=100)
    assert (await buckets.trade(Account(tenant, "greedy", terms), Trade(need=100))).granted == 100
    assert (await buckets.trade(Account(tenant, "second", terms), Trade(need=51))).granted is None
    assert (await buckets.trade(Account(tenant, "second", terms), Trade(need=50))).granted == 50
    assert (await buckets.trade(Account(tenant, "polite", terms), Trade(need=10))).granted == 10


async def test_own_buckets_fill_slower_while_the_shared_one_is_short(buckets, tenant):
    rate = 1_000
    slow = Terms(Rate(10_000, rate), Rate(20_000, 1))
    first = await buckets.trade(Account(tenant, "a", slow), Trade(need=10_000))
    second = await buckets.trade(Account(tenant, "a", slow), Trade())
    assert first.debt.own - second.debt.own == (second.at - first.at) * rate
    await buckets.trade(Account(tenant, "b", slow), Trade(need=3_000))
    third = await buckets.trade(Account(tenant, "a", slow), Trade())
    # The shared bucket is filled to 34 of 100, and a part of one.
    fourth = await buckets.trade(Account(tenant, "a", slow), Trade())
    assert slow.pace(third.debt.shared) == 40
    assert third.debt.own - fourth.debt.own == (fourth.at - third.at) * rate * 40 // 100


async def test_points_come_back_with_time(buckets, tenant):
    account = Account(tenant, "a", Terms(Rate(10, RATE_LIMIT), Rate(RATE_LIMIT, RATE_LIMIT)))
    for _ in range(5):
        # It is full again after a part of a microsecond, less than a call takes.
        assert (await buckets.trade(account, Trade(need=10))).granted == 10


async def test_the_greatest_rates_are_exact(buckets, tenant):
    account = Account(tenant, "a", Terms(Rate(RATE_LIMIT, 1), Rate(RATE_LIMIT, 1), yielded=1))
    need = RATE_LIMIT // 2 - 1
    first = await buckets.trade(account, Trade(need=need))
    assert (first.granted, first.debt) == (need, (need * MICRO, need * MICRO))
    second = await buckets.trade(account, Trade())
    left = need * MICRO - (second.at - first.at)
    assert second.debt == (left, left)


async def test_many_at_once_get_exactly_what_there_is(buckets, tenant):
    account = Account(tenant, "a", SLOW)
    taken = await asyncio.gather(*(buckets.trade(account, Trade(need=3)) for _ in range(50)))
    assert [balance.granted for balance in taken].count(3) == 33


RATES = st.builds(Rate, st.integers(1, 3_000), st.sampled_from([1, 7, 100, 3_333, 1_000_000]))
TERMS = st.builds(Terms, RATES, RATES, reserved=st.integers(0, 500), yielded=st.integers(0, 500))
TRADES = st.builds(Trade, need=st.integers(0, 2_000), spare=st.integers(0, 300), returned=st.integers(0, 800))
STEPS = st.lists(st.tuples(st.sampled_from("ab"), TRADES, st.integers(0, 3_000_000)), min_size=1, max_size=25)


class Model:
    """Buckets as their description has them: levels between nothing and all, filling evenly, in exact fractions."""

    def __init__(self, terms):
        self.terms = terms
        self.levels = {}

    def level(self, name, rate, at, pace=100):
        level, since = self.levels.get(name, (Fraction(rate.capacity), at))
        # A debt is a whole number of millionths.
        filled = Fraction((at - since) * rate.per_second * pace // 100, MICRO)
        return min(Fraction(rate.capacity), level + filled)

    def trade(self, name, trade, at):
        terms = self.terms
        shared = self.level(None, terms.shared, at)
        pace = min(100, max(10, 4 * (shared * 100 // terms.shared.capacity) - 100))
        own = min(Fraction(terms.own.capacity), self.level(name, terms.own, at, pace) + trade.returned)
        shared = min(Fraction(terms.shared.capacity), shared + trade.returned)
        own_left = own - trade.need
        spent = (terms.own.capacity - own_left) * 100 // terms.own.capacity
        shared_left = shared - trade.need - terms.reserved - Fraction(terms.yielded * spent, 100)
        granted = None
        if own_left >= 0 and shared_left >= 0:
            spare = [
                left // 4 if left >= Fraction(rate.capacity, 2) else 0
                for left, rate in ((own_left, terms.own), (shared_left, terms.shared))
            ]
            granted = trade.need + min(trade.spare, *spare)
            own, shared = own - granted, shared - granted
        self.levels[name], self.levels[None] = (own, at), (shared, at)
        debts = (terms.own.capacity - own) * MICRO, (terms.shared.capacity - shared) * MICRO
        return granted, debts


@settings(deadline=None, max_examples=150)
@given(terms=TERMS, steps=STEPS)
async def test_a_process_does_what_the_model_does(terms, steps):
    clock, model = Clock(), Model(terms)
    kept = BucketsInProcess(timer=clock)
    for name, trade, pause in steps:
        clock.now += pause
        balance = await kept.trade(Account("tenant", name, terms), trade)
        assert (balance.granted, balance.debt) == model.trade(name, trade, balance.at)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=TERMS, steps=STEPS)
async def test_redis_does_what_the_model_does(redis, terms, steps):
    kept, model, tenant = BucketsInRedis(redis), Model(terms), uuid.uuid4().hex
    for name, trade, _ in steps:
        balance = await kept.trade(Account(tenant, name, terms), trade)
        assert (balance.granted, balance.debt) == model.trade(name, trade, balance.at)


@given(
    terms=TERMS,
    debt=st.tuples(st.integers(0, 4_000 * MICRO), st.integers(0, 4_000 * MICRO)),
    need=st.integers(0, 3_000),
)
def test_a_refused_trade_passes_after_its_wait(terms, debt, need):
    granted, left = settled(terms, Debt(*debt), Trade(need=need))
    wait = wait_for(terms, left, need)
    assert granted is not None or wait.microseconds > 0
    can_ever_pass = need + terms.reserved + terms.yielded <= terms.shared.capacity and need <= terms.own.capacity
    if granted is None and can_ever_pass:
        own = decayed(left.own, wait.microseconds, terms.own.per_second, terms.pace(left.shared))
        later = Debt(own, decayed(left.shared, wait.microseconds, terms.shared.per_second))
        assert settled(terms, later, Trade(need=need))[0] == need


async def test_a_clock_that_goes_back_fills_nothing():
    clock = Clock()
    kept, account = BucketsInProcess(timer=clock), Account("tenant", "a", SLOW)
    await kept.trade(account, Trade(need=100))
    clock.now -= 500_000
    assert (await kept.trade(account, Trade())).debt == (100 * MICRO, 100 * MICRO)
    clock.now += 1_000_000
    assert (await kept.trade(account, Trade())).debt == (99 * MICRO, 99 * MICRO)


async def test_a_process_forgets_full_buckets():
    clock = Clock()
    kept = BucketsInProcess(timer=clock)
    account = Account("tenant", "a", SLOW)
    await kept.trade(account, Trade(need=3))
    assert len(kept) == 2
    clock.now += 3 * MICRO
    await kept.trade(account, Trade())
    assert len(kept) == 0


async def test_a_process_keeps_so_many_buckets_and_forgets_the_fullest_of_the_oldest():
    clock = Clock()
    kept = BucketsInProcess(timer=clock, size=10)
    await kept.trade(Account("tenant", "poor", SLOW), Trade(need=90))
    for number in range(100):
        await kept.trade(Account("tenant", f"rich {number}", SLOW), Trade(need=1))
    assert len(kept) == 10
    assert (await kept.trade(Account("tenant", "poor", SLOW), Trade())).debt == (90 * MICRO, 190 * MICRO)


async def test_redis_forgets_full_buckets(redis, tenant):
    kept, account = BucketsInRedis(redis), Account(tenant, "a", Terms(Rate(100, 10), Rate(1_000, 50)))
    await kept.trade(account, Trade(need=100))
    own, shared = redis_buckets._keys(account)
    # Ten and two seconds until they are full, ten times as long for the own one at its slowest, and one more.
    assert 100_500 < await redis.pttl(own) <= 101_000
    assert 2_500 < await redis.pttl(shared) <= 3_000
    await kept.give_back([(account, 100)])
    assert await redis.exists(own, shared) == 0


async def test_a_value_that_is_no_bucket_counts_as_full(redis, tenant):
    account = Account(tenant, "a", SLOW)
    await redis.set(redis_buckets._keys(account)[0], b"\xff none of ours")
    assert (await BucketsInRedis(redis).trade(account, Trade(need=100))).granted == 100


@pytest.mark.parametrize("principal", ["a", "customer:{x}", "customer:}{", "x" * 255, "customer:ж"])
def test_both_buckets_live_on_one_node_of_a_cluster(tenant, principal):
    own, shared = redis_buckets._keys(Account(tenant, principal, SLOW))
    assert tenant in own
    assert tenant in shared
    assert key_slot(own.encode()) == key_slot(shared.encode()) == key_slot(tenant.encode())


async def test_a_redis_that_has_lost_the_script_is_given_it_again(redis, tenant):
    kept, account = BucketsInRedis(redis), Account(tenant, "a", SLOW)
    await kept.trade(account, Trade(need=10))
    await redis.script_flush()
    assert points((await kept.trade(account, Trade(need=10))).debt) == (20, 20)
    await redis.script_flush()
    await kept.give_back([(account, 5)] * (2 * redis_buckets.PIPELINE_LENGTH + 1))
    assert (await kept.trade(account, Trade())).debt == (0, 0)
