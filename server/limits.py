"""What a client may ask for: charged before an operation runs, settled after it, refused when the budget is spent."""

import asyncio
import contextlib
import dataclasses
import math
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import structlog

from core.budgets import Budgets
from core.errors import BucketsUnavailable, CostExceeded, Overloaded, Throttled
from core.guarded_buckets import GuardedBuckets
from core.leases import Lease, Leases, Refusal
from core.rate_limit import BucketsInProcess, Rate, Terms
from core.redis_buckets import BucketsInRedis, connect
from core.settings import Settings
from server.addresses import group_of
from server.graphql.contexts import ActorView
from server.metrics import Metrics

LEAST = 1
"""What any request costs that reaches the document: also one whose document is malformed, or was never seen."""

_CLIENTS = {"anonymous": "shopper", "customer": "customer", "staff": "staff", "key": "key", "system": "staff"}
"""The kind of budget by the kind of actor."""

_RESERVED = {"shopper": 4, "customer": 8}
"""What part of the shop's bucket is out of reach: a flood of shoppers leaves a quarter to customers, staff and keys,
and one of customers half of that to staff and keys."""

_YIELDED = 4
"""What part of the shop's bucket is out of reach for a client that has spent all of its own."""

_log = structlog.get_logger(area="budget")


@dataclasses.dataclass(frozen=True, slots=True)
class RateClass:
    """What clients of one kind may ask for.

    Attributes:
        name: As the settings call it.
        terms: What they draw on.
        policy: The field `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-08): points, and the seconds in which
            as many come back.
    """

    name: str
    terms: Terms
    policy: str

    @classmethod
    def of(cls, name: str, own: Rate, shop: Rate) -> "RateClass":
        """Return the class with the terms that its name stands for."""
        part = _RESERVED.get(name)
        reserved = shop.capacity // part if part else 0
        terms = Terms(own, shop, reserved=reserved, yielded=shop.capacity // _YIELDED)
        window = math.ceil(own.capacity / own.per_second)
        return cls(name, terms, f'"{name}";q={own.capacity};w={window}')


class Payer:
    """Who pays for one request, and what has been charged so far.

    Attributes:
        is_asked: Whether anything was charged, or refused.
    """

    __slots__ = ("_budget", "_charged", "_class", "_key", "_lease", "_left", "is_asked")

    def __init__(self, budget: "Budget", rate_class: RateClass, key: tuple[uuid.UUID, str]) -> None:
        self._budget = budget
        self._class = rate_class
        self._key = key
        self._lease: Lease | None = None
        self._charged = 0
        self._left: int | None = None
        self.is_asked = False

    async def charge(self, points: int = LEAST) -> None:
        """Take points before the work is done, less what was taken before.

        Raises:
            Throttled: The budget is spent for now.
            CostExceeded: It is more than a full budget, so no waiting helps.
            Overloaded: Redis does not answer, and the settings say not to do without it.
        """
        self.is_asked = True
        points = max(LEAST, points)
        need = points - self._charged
        if need <= 0:
            return
        lease = self._budget.leases.charge_at_once(self._key, need)
        if lease is None:
            lease = await self._charge_slowly(need, points)
        self._lease, self._charged, self._left = lease, points, None

    def draw(self, points: int) -> bool:
        """Take points for good, for a message of a subscription, if they are held; tell whether they were."""
        lease = self._budget.leases.charge_at_once(self._key, points)
        if lease is None:
            return False
        self._lease, self._charged, self._left = lease, 0, None
        return True

    async def draw_slowly(self, points: int) -> None:
        """Take points for good; raises as `charge` does."""
        self._lease, self._charged, self._left = await self._charge_slowly(points, points), 0, None

    def settle(self, points: int) -> None:
        """Give back what was charged too much, once."""
        if self._lease is not None:
            self._budget.leases.refund(self._lease, self._charged - max(LEAST, points))
            self._charged, self._left = 0, None

    def throttle_status(self) -> dict[str, int]:
        """Return what `extensions.cost` says of the client's budget."""
        own = self._class.terms.own
        return {
            "maximumAvailable": own.capacity,
            "currentlyAvailable": self._available(),
            "restoreRate": own.per_second,
        }

    def headers(self) -> dict[str, str]:
        """Return what the header of an answer says of the client's budget."""
        own, available = self._class.terms.own, self._available()
        seconds = -((available - own.capacity) // own.per_second)
        return {
            "ratelimit-policy": self._class.policy,
            "ratelimit": f'"{self._class.name}";r={available};t={seconds}',
        }

    def _available(self) -> int:
        if self._left is None:
            lease, leases = self._lease, self._budget.leases
            self._left = self._class.terms.own.capacity if lease is None else lease.available(leases.timer())
        return self._left

    async def _charge_slowly(self, need: int, points: int) -> Lease:
        own = self._class.terms.own
        if points > own.capacity:
            raise CostExceeded(
                f"The operation costs {points:,} points, and a full budget has {own.capacity:,}; ask for less.",
                requestedQueryCost=points,
                maximumQueryCost=own.capacity,
            )
        try:
            outcome = await self._budget.leases.charge(self._key, self._class.terms, need)
        except BucketsUnavailable as error:
            raise Overloaded("The store of budgets does not answer; try again in a second.") from error
        if isinstance(outcome, Lease):
            return outcome
        self._lease, self._left = outcome.lease, None
        raise self._throttled(outcome, points)

    def _throttled(self, refusal: Refusal, points: int) -> Throttled:
        is_own = refusal.wait.is_own
        self._budget.metrics.throttled.labels(self._class.name, "own" if is_own else "shop").inc()
        whose = "Your budget" if is_own else "The budget of this shop"
        return Throttled(
            f"{whose} has too few points left for this; ask for less, or try again after retryAfterMs.",
            retry_after_ms=max(1, math.ceil(refusal.wait.microseconds / 1000)),
            cost={"requestedQueryCost": points, "throttleStatus": self.throttle_status()},
        )


class Budget:
    """The budgets of all clients, as one process sees them.

    Attributes:
        leases: What this process knows and holds of them.
        metrics: Where refusals are counted.
    """

    def __init__(
        self,
        budgets: Budgets,
        leases: Leases,
        metrics: Metrics,
        *,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.leases = leases
        self.metrics = metrics
        self._close = close
        self._classes: Mapping[str, RateClass] = {
            kind: RateClass.of(name, getattr(budgets, name), budgets.shop) for kind, name in _CLIENTS.items()
        }
        metrics.watch_leases(
            points=lambda: leases.points, from_lease=lambda: leases.charged_at_once, from_store=lambda: leases.trades
        )

    @contextlib.asynccontextmanager
    async def swept(self) -> AsyncIterator[None]:
        """Return what is not used, again and again, and all of it in the end."""
        sweeping = asyncio.create_task(self.leases.run())
        try:
            yield
        finally:
            sweeping.cancel()
            await self.leases.close()
            if self._close is not None:
                await self._close()

    def payer(self, shop_id: uuid.UUID, actor: ActorView, address: str | None) -> Payer:
        """Return who pays for a request.

        Args:
            shop_id: The shop that is asked.
            actor: Who asks.
            address: Where from; what an actor without identity is known by.
        """
        kind = actor.kind
        return Payer(self, self._classes[kind], (shop_id, f"{kind}:{actor.subject or group_of(address)}"))


def configured_budget(settings: Settings, metrics: Metrics) -> Budget:
    """Return the budgets of a process as its settings say.

    Args:
        settings: What clients may ask for, and the Redis that all processes share, if any.
        metrics: Where refusals and failures are counted.
    """
    local = BucketsInProcess()
    if settings.redis_url is None:
        return Budget(settings.budgets, Leases(local), metrics)
    client = connect(settings.redis_url.value)
    stand_in = local if settings.budget_outage == "open" else None
    guarded = GuardedBuckets(BucketsInRedis(client), stand_in, report=_Outage(metrics))
    return Budget(settings.budgets, Leases(guarded), metrics, close=client.aclose)


@dataclasses.dataclass(slots=True)
class _Outage:
    """Counts the failures of Redis, and logs the first and the last of a series."""

    metrics: Metrics
    has_begun: bool = False

    def __call__(self, error: BaseException | None) -> None:
        if error is None:
            self.has_begun = False
            _log.info("Redis keeps the budgets again")
            return
        self.metrics.budget_errors.inc()
        if not self.has_begun:
            self.has_begun = True
            _log.warning("Redis does not keep the budgets", error=type(error).__name__)
