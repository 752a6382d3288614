"""Probes: is the process alive, may it be sent requests, has it started."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import orjson
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.single_flight import SingleFlight

PATIENCE_SECONDS = 1.0
"""How long a check may take; a database that needs longer would fail every request's deadline anyway."""

_SPARED = frozenset({"redis", "bus"})
"""What a process serves without, if slower."""

PROBE_PATHS = ("/livez", "/readyz", "/startupz")

_log = structlog.get_logger(area="health")


class Pingable(Protocol):
    """Something that can be asked for a sign of life, as `core.database.Database`."""

    async def ping(self) -> None:
        """Return when there is one, raise otherwise."""

    def is_at_work(self) -> bool:
        """Tell whether it has more to do than answer probes, and does so."""


class Health:
    """What the probes look at.

    Attributes:
        is_started: Set once the process may serve; settings are valid and its pools are open.
        is_draining: Set when the process shall get no new requests.
        readiness: What the probe said when it was last asked; None before.
    """

    def __init__(
        self,
        database: Pingable,
        revision: Callable[[], Awaitable[str | None]],
        *,
        oldest_revision: str,
        redis: Callable[[], Awaitable[object]] | None = None,
        is_bus_healthy: Callable[[], bool] | None = None,
    ) -> None:
        """Describe what readiness depends on.

        Args:
            database: Without it nothing can be served.
            revision: Reads the schema revision of the database; None for an empty one.
            oldest_revision: What this release needs at least. Revisions are ordered as texts, and newer ones are
                accepted, since a schema serves the release before it while a roll-out is under way.
            redis: Asks Redis for a sign of life; None where it is not used. The process serves without it, degraded.
            is_bus_healthy: Tells whether nudges of other processes arrive, see `core.bus.Bus`; None where there are no
                others. Without them events are read a little later, and the process is degraded.
        """
        self.is_started = False
        self.is_draining = False
        self.readiness: str | None = None
        self._database = database
        self._revision = revision
        self._oldest_revision = oldest_revision
        self._redis = redis
        self._is_bus_healthy = is_bus_healthy
        self._is_current = False
        # However many ask, there is one check at a time: probes must not eat the pool they are asking about.
        self._checks: SingleFlight[str, dict[str, str]] = SingleFlight()

    async def checks(self) -> dict[str, str]:
        """Run every check; each value is `ok`, or a sentence on what is wrong."""
        return await self._checks.run("all", self._check_all)

    async def _check_all(self) -> dict[str, str]:
        checks = {"database": self._check_database(), "schema": self._check_schema()}
        if self._redis is not None:
            checks["redis"] = self._check_redis(self._redis)
        if self._is_bus_healthy is not None:
            checks["bus"] = self._check_bus(self._is_bus_healthy)
        outcomes = await asyncio.gather(*(_outcome(name, check) for name, check in checks.items()))
        return dict(zip(checks, outcomes, strict=True))

    async def _check_database(self) -> str:
        # One that is at its limit, and answers, is no reason to send everybody to others, who would be at theirs too.
        if not self._database.is_at_work():
            await self._database.ping()
        return "ok"

    async def _check_schema(self) -> str:
        if self._is_current and self._database.is_at_work():
            return "ok"
        revision = await self._revision()
        self._is_current = revision is not None and revision >= self._oldest_revision
        if revision is None:
            return "not migrated; run the migrations"
        if revision < self._oldest_revision:
            return f"at revision {revision}, needs {self._oldest_revision}; run the migrations"
        return "ok"

    async def _check_redis(self, ping: Callable[[], Awaitable[object]]) -> str:
        await ping()
        return "ok"

    async def _check_bus(self, is_healthy: Callable[[], bool]) -> str:
        if is_healthy():
            return "ok"
        return f"{'away' if self._redis else 'set REDIS_URL, since others relay'}; live events are polled"


@dataclasses.dataclass(frozen=True, slots=True)
class _Report:
    status: str
    checks: dict[str, str]
    is_positive: bool

    def response(self) -> Response:
        return Response(
            orjson.dumps({"status": self.status, "checks": self.checks}),
            status_code=200 if self.is_positive else 503,
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )


def routes(health: Health) -> list[Route]:
    """Return the routes of the probes; they need no token and no shop."""

    async def live(_: Request) -> Response:
        # Getting another turn is the whole point: an event loop that hangs does not answer.
        await asyncio.sleep(0)
        return _Report("alive", {}, is_positive=True).response()

    async def ready(_: Request) -> Response:
        report = await _readiness(health)
        health.readiness = report.status
        return report.response()

    async def started(_: Request) -> Response:
        return _Report("started" if health.is_started else "starting", {}, is_positive=health.is_started).response()

    return [Route(path, answer) for path, answer in zip(PROBE_PATHS, (live, ready, started), strict=True)]


def watch_health(registry: CollectorRegistry, health: Health) -> Health:
    """Show at each scrape what the probe of readiness said when it was last asked."""
    registry.register(_Readiness(health))
    return health


@dataclasses.dataclass(slots=True, eq=False)
class _Readiness(Collector):
    health: Health

    def collect(self) -> Iterator[GaugeMetricFamily]:
        said = self.health.readiness
        if said is not None:
            is_ready, is_degraded = said in {"ready", "degraded"}, said == "degraded"
            yield GaugeMetricFamily("galleria_ready", "Whether requests may be sent here.", float(is_ready))
            yield GaugeMetricFamily("galleria_degraded", "Whether it serves, without Redis.", float(is_degraded))


async def _readiness(health: Health) -> _Report:
    if health.is_draining:
        return _Report("draining", {}, is_positive=False)
    checks = await health.checks()
    failed = {name for name, outcome in checks.items() if outcome != "ok"}
    if failed - _SPARED:
        return _Report("unready", checks, is_positive=False)
    return _Report("degraded" if failed else "ready", checks, is_positive=True)


async def _outcome(name: str, check: Awaitable[str]) -> str:
    """Await a check; a failure becomes a sentence that names no host, since anybody may read it."""
    [outcome] = await asyncio.gather(asyncio.wait_for(check, PATIENCE_SECONDS), return_exceptions=True)
    if isinstance(outcome, BaseException):
        _log.warning("readiness check failed", check=name, error=type(outcome).__name__)
        return "no answer in time" if isinstance(outcome, TimeoutError) else "failed; the log says how"
    return outcome
