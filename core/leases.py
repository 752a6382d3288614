"""Slices of a budget that a process takes ahead of their use, so that most requests are charged without asking anybody.

What a process holds of an account was taken from its buckets before, so from full buckets on no more is ever spent
than they held and what came back since. Points that are held come back to nobody, and a bucket may fill up meanwhile:
in any stretch of time, processes together spend at most capacity + rate x time + a tenth of the capacity each.
"""

import asyncio
import dataclasses
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Final

from core.rate_limit import MICRO, Account, Balance, Buckets, Terms, Trade, Wait, wait_for

LIFETIME_SECONDS: Final = 1.0
"""How long a process keeps points that it took ahead."""

SHARE: Final = 10
"""A lease is at most this part of the account's capacity: 200 points of 2,000."""

LEASES_KEPT: Final = 20_000
"""Accounts that one process keeps in mind, for a second or two after each was seen last."""

PATIENCE_SECONDS: Final = 0.1
"""How long a refusal holds without asking again: a flood of requests that nobody can pay must not become one of trades.
"""

Key = tuple[uuid.UUID, str]
"""A tenant, and a principal of it."""

_NO_WAIT: Final = Wait(0, is_own=True)


@dataclasses.dataclass(slots=True, eq=False)
class Lease:
    """What a process holds of one account.

    Attributes:
        account: Whose points they are.
        points: What is held: taken and not spent.
        until: When the points may be spent without asking no longer, in seconds of the timer.
        own_debt: What the account's own bucket lacked when it was asked last, in millionths.
        asked_at: When that was.
        is_open: Whether the process still has it in mind.
        trades: Trades under way.
        is_filling: Whether one of them takes points to be held.
        returning: The return of points that is under way.
        refused: Points that were needed and refused; such a charge, or a greater one, is refused at once for a moment.
        wait: What was said then.
    """

    account: Account
    points: int = 0
    until: float = 0.0
    own_debt: int = 0
    asked_at: float = 0.0
    is_open: bool = True
    trades: int = 0
    is_filling: bool = False
    returning: asyncio.Task[None] | None = None
    refused: int | None = None
    wait: Wait = _NO_WAIT

    def available(self, now: float) -> int:
        """Return what the account's own bucket holds by now, as far as this process knows; never below 0."""
        own = self.account.terms.own
        missing = self.own_debt - int((now - self.asked_at) * MICRO) * own.per_second
        held = own.capacity + self.points
        return max(0, min(own.capacity, held if missing <= 0 else held - -(-missing // MICRO)))


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """A charge that the buckets could not bear.

    Attributes:
        lease: What the process knows of the account.
        wait: When to try again.
    """

    lease: Lease
    wait: Wait


class Leases:
    """The accounts that this process has lately charged, and what it holds of them.

    Args:
        buckets: Where points come from.
        timer: Tells seconds.
        size: Accounts kept in mind.

    Attributes:
        charged_at_once: Charges so far that needed no trade.
        trades: Trades so far.
    """

    def __init__(
        self, buckets: Buckets, *, timer: Callable[[], float] = time.monotonic, size: int = LEASES_KEPT
    ) -> None:
        self.timer = timer
        self.charged_at_once = 0
        self.trades = 0
        self._buckets = buckets
        self._size = size
        self._leases: dict[Key, Lease] = {}
        self._returning: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._leases)

    @property
    def points(self) -> int:
        """What is held of all accounts."""
        return sum(lease.points for lease in self._leases.values())

    def charge_at_once(self, key: Key, need: int) -> Lease | None:
        """Charge an account with points that are held; None where there are too few."""
        lease = self._leases.get(key)
        if lease is None or lease.points < need or self.timer() >= lease.until:
            return None
        lease.points -= need
        self.charged_at_once += 1
        return lease

    async def charge(self, key: Key, terms: Terms, need: int) -> Lease | Refusal:
        """Charge an account, and hold some points ahead when it was charged a moment ago already.

        Raises:
            BucketsUnavailable: The buckets are out of reach.
        """
        lease = self._leases.get(key)
        # A process that sees an account once in a while would return what it holds each time, for nothing.
        is_first = lease is None
        lease = lease or self._open(key, terms)
        if (refusal := self._still_refused(lease, need)) is not None:
            return refusal
        if lease.returning is not None:
            await asyncio.wait((lease.returning,))
        spare = 0 if is_first or lease.is_filling else terms.own.capacity // SHARE
        balance = await self._trade(lease, need, spare)
        lease.own_debt, lease.asked_at = balance.debt.own, self.timer()
        if balance.granted is None:
            lease.refused, lease.wait = need, wait_for(terms, balance.debt, need)
            return Refusal(lease, lease.wait)
        lease.refused = None
        if spare:
            lease.until = lease.asked_at + LIFETIME_SECONDS
            lease.points += balance.granted - need
        if not lease.is_open:
            self._return_soon(lease)
        return lease

    def refund(self, lease: Lease, points: int) -> None:
        """Take back what a charge turned out not to need."""
        if points <= 0:
            return
        own = lease.account.terms.own
        lease.points += points
        lease.refused = None
        # Where little is left, other processes may be short of these points.
        is_low = 2 * lease.own_debt > own.capacity * MICRO
        if is_low or not lease.is_open or lease.points > own.capacity // SHARE:
            self._return_soon(lease)

    async def sweep(self) -> None:
        """Return what has been held for long enough."""
        before = self.timer() - LIFETIME_SECONDS
        old = [key for key, lease in self._leases.items() if lease.asked_at <= before and not lease.trades]
        await self._return_all(self._close(key) for key in old)

    async def run(self) -> None:
        """Sweep again and again, until cancelled."""
        while True:
            await asyncio.sleep(LIFETIME_SECONDS)
            await self.sweep()

    async def close(self) -> None:
        """Return everything that is held."""
        await self._return_all([self._close(key) for key in list(self._leases)])
        if self._returning:
            await asyncio.wait(self._returning)

    def _open(self, key: Key, terms: Terms) -> Lease:
        while len(self._leases) >= self._size:
            self._return_soon(self._close(next(iter(self._leases))))
        lease = Lease(Account(str(key[0]), key[1], terms))
        self._leases[key] = lease
        return lease

    def _close(self, key: Key) -> Lease:
        lease = self._leases.pop(key)
        lease.is_open = False
        return lease

    async def _trade(self, lease: Lease, need: int, spare: int) -> Balance:
        returned, lease.points = lease.points, 0
        self.trades += 1
        lease.trades += 1
        lease.is_filling = lease.is_filling or spare > 0
        try:
            return await self._buckets.trade(lease.account, Trade(need=need, spare=spare, returned=returned))
        finally:
            lease.trades -= 1
            lease.is_filling = lease.is_filling and not spare

    def _still_refused(self, lease: Lease, need: int) -> Refusal | None:
        passed = self.timer() - lease.asked_at
        if lease.refused is None or need < lease.refused or passed >= PATIENCE_SECONDS:
            return None
        left = lease.wait.microseconds - int(passed * MICRO)
        return Refusal(lease, lease.wait._replace(microseconds=left)) if left > 0 else None

    def _return_soon(self, lease: Lease) -> None:
        if lease.points and lease.returning is None:
            lease.returning = asyncio.create_task(self._return_all((lease,)))
            self._returning.add(lease.returning)
            lease.returning.add_done_callback(self._returning.discard)

    async def _return_all(self, leases: Iterable[Lease]) -> None:
        closing = list(leases)
        # While some travel, the end of an operation may add more.
        while returned := [(lease.account, points) for lease in closing if (points := _emptied(lease))]:
            await self._buckets.give_back(returned)
        for lease in closing:
            lease.returning = None


def _emptied(lease: Lease) -> int:
    """Take what a lease holds, as if it were back in its bucket already."""
    points, lease.points = lease.points, 0
    lease.own_debt = max(0, lease.own_debt - points * MICRO)
    return points
