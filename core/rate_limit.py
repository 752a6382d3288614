"""Token buckets: points that are spent at once and come back with time, one's own and those shared with others.

A bucket is kept as what it lacks, so one that is full need not be kept at all. Every trade touches two of them, all or
nothing: the bucket of one principal, and the one that all principals of its tenant draw from as well.
"""

import dataclasses
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

MICRO = 1_000_000
"""Debts are counted in millionths of a point: a point a second is one of them a microsecond, so nothing is rounded."""

RATE_LIMIT = 50_000_000
"""The most points of a bucket, and a second. Redis calculates in doubles, which are exact up to 2^53, and a hundred
times such a bucket's millionths stay below that."""

BUCKETS_KEPT = 100_000
"""Buckets in debt that one process remembers; each takes about 300 bytes."""

_CANDIDATES = 16
"""Of so many that were not used for longest, the one that lacks least is forgotten first."""

SLOWEST_PERCENT = 10
"""How much of its rate is left to an own bucket while the shared one is drained."""

_PERCENT = MICRO // 100


@dataclasses.dataclass(frozen=True, slots=True)
class Rate:
    """How much a bucket holds, and how fast it fills; both from 1 to `RATE_LIMIT`.

    Attributes:
        capacity: Points of a full bucket.
        per_second: Points that come back each second.
    """

    capacity: int
    per_second: int

    def __str__(self) -> str:
        """Return it as settings write it."""
        return f"{self.capacity}/{self.per_second}"


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What a kind of principal may draw.

    Attributes:
        own: Of the principal's own bucket.
        shared: Of the bucket of all principals of the tenant.
        reserved: Points that it always leaves in the shared bucket, to other kinds.
        yielded: Points that it leaves there beyond that once its own bucket is empty, and proportionally fewer before:
            who has spent little may draw from a depth that the greedy cannot reach.
    """

    own: Rate
    shared: Rate
    reserved: int = 0
    yielded: int = 0

    def kept_back(self, own_debt: int) -> int:
        """Return the millionths that stay in the shared bucket, by what the principal's own one lacks."""
        spent = min(100, own_debt * 100 // (self.own.capacity * MICRO))
        return self.reserved * MICRO + self.yielded * _PERCENT * spent

    def pace(self, shared_debt: int) -> int:
        """Return the percentage of its rate at which an own bucket fills, by what the shared one lacks.

        All of it where the shared one is half full, and least from a quarter down. So when principals together ask for
        more than the shared bucket gives, those who always ask are the ones who run out of their own, and what is left
        is for the others.
        """
        capacity = self.shared.capacity * MICRO
        level = max(0, capacity - shared_debt) * 100 // capacity
        return min(100, max(SLOWEST_PERCENT, 4 * level - 100))


class Debt(NamedTuple):
    """What the two buckets of a trade lack, in millionths of a point."""

    own: int
    shared: int


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """Whose buckets a trade is about.

    Attributes:
        tenant: Names the shared bucket.
        principal: Names the own bucket, within the tenant.
        terms: What may be drawn.
    """

    tenant: str
    principal: str
    terms: Terms


@dataclasses.dataclass(frozen=True, slots=True)
class Trade:
    """What is asked of two buckets.

    Attributes:
        need: Points without which nothing is taken.
        spare: Points to take on top where the buckets are at least half full, to be spent later without asking.
        returned: Points that were taken earlier and not spent; they come first, and are never too many for a bucket.
    """

    need: int = 0
    spare: int = 0
    returned: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Balance:
    """What came of a trade.

    Attributes:
        granted: Points taken: all that were needed, and none to all of the spare ones; None where refused.
        debt: What the buckets lack now.
        at: Microseconds of the clock that the buckets fill by.
    """

    granted: int | None
    debt: Debt
    at: int


class Wait(NamedTuple):
    """How long until a refused trade may pass, as far as the buckets tell: others may draw from the shared one."""

    microseconds: int
    is_own: bool
    """Whether it is the own bucket that takes longest, and not the shared one."""


class Buckets(Protocol):
    """Where buckets are kept."""

    async def trade(self, account: Account, trade: Trade) -> Balance:
        """Return points to the buckets of an account, then take some of both or of neither.

        Raises:
            BucketsUnavailable: The buckets are out of reach.
        """

    async def give_back(self, returned: Sequence[tuple[Account, int]]) -> None:
        """Return points that were taken and not spent; whatever is out of reach loses them."""


def settled(terms: Terms, debt: Debt, trade: Trade) -> tuple[int | None, Debt]:
    """Return how many points a trade takes, None where it is refused, and what the buckets lack after it.

    The script in `core.redis_buckets` does the same, number for number.
    """
    own = max(0, debt.own - trade.returned * MICRO)
    shared = max(0, debt.shared - trade.returned * MICRO)
    need = trade.need * MICRO
    own_left = terms.own.capacity * MICRO - own - need
    if own_left < 0:
        return None, Debt(own, shared)
    shared_left = terms.shared.capacity * MICRO - shared - need - terms.kept_back(own + need)
    if shared_left < 0:
        return None, Debt(own, shared)
    spare = min(trade.spare, _spared(own_left, terms.own), _spared(shared_left, terms.shared))
    taken = trade.need + spare
    return taken, Debt(own + taken * MICRO, shared + taken * MICRO)


def wait_for(terms: Terms, debt: Debt, need: int) -> Wait:
    """Return how long the buckets need to fill until they have as many points as are needed."""
    own_short = debt.own + need * MICRO - terms.own.capacity * MICRO
    kept_back = terms.kept_back(debt.own + need * MICRO)
    shared_short = debt.shared + need * MICRO + kept_back - terms.shared.capacity * MICRO
    own = math.ceil(max(0, own_short) * 100 / (terms.own.per_second * terms.pace(debt.shared)))
    shared = math.ceil(max(0, shared_short) / terms.shared.per_second)
    return Wait(max(own, shared), own >= shared)


def decayed(debt: int, elapsed: int, per_second: int, pace: int = 100) -> int:
    """Return what a bucket still lacks after some microseconds of filling; a clock that went back fills nothing."""
    return max(0, debt - max(0, elapsed) * per_second * pace // 100)


def _spared(left: int, rate: Rate) -> int:
    """Return the points that may be taken ahead of their use: none of the lower half, a quarter of what is left."""
    return left // (4 * MICRO) if 2 * left >= rate.capacity * MICRO else 0


def microseconds() -> int:
    """Return the time of a clock that never goes back."""
    return time.monotonic_ns() // 1000


class _Kept(NamedTuple):
    debt: int
    at: int
    per_second: int


class BucketsInProcess:
    """Keeps buckets in the memory of this process, for as long as they lack something.

    Args:
        timer: Tells microseconds.
        size: Buckets kept. Beyond it some are forgotten, which fills them: of the longest unused ones the fullest.
    """

    def __init__(self, *, timer: Callable[[], int] = microseconds, size: int = BUCKETS_KEPT) -> None:
        self._timer = timer
        self._size = size
        self._kept: OrderedDict[tuple[str, str | None], _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def trade(self, account: Account, trade: Trade) -> Balance:
        """Return points to the buckets of an account, then take some of both or of neither."""
        now, terms = self._timer(), account.terms
        own, shared = (account.tenant, account.principal), (account.tenant, None)
        shared_debt = self._debt(shared, now)
        own_debt = self._debt(own, now, terms.pace(shared_debt))
        granted, debt = settled(terms, Debt(own_debt, shared_debt), trade)
        self._keep(own, _Kept(debt.own, now, terms.own.per_second))
        self._keep(shared, _Kept(debt.shared, now, terms.shared.per_second))
        return Balance(granted, debt, now)

    async def give_back(self, returned: Sequence[tuple[Account, int]]) -> None:
        """Return points that were taken and not spent."""
        for account, points in returned:
            await self.trade(account, Trade(returned=points))

    def _debt(self, key: tuple[str, str | None], now: int, pace: int = 100) -> int:
        kept = self._kept.get(key)
        return 0 if kept is None else decayed(kept.debt, now - kept.at, kept.per_second, pace)

    def _keep(self, key: tuple[str, str | None], kept: _Kept) -> None:
        if kept.debt == 0:
            self._kept.pop(key, None)
            return
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            del self._kept[min(islice(self._kept, _CANDIDATES), key=lambda old: self._debt(old, kept.at))]
