"""The relay of a process, as its settings say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from core.settings import Settings
from jobs.relay import Publish, Relay
from server import postgresql
from server.metrics import Metrics

_CONNECTIONS = 3
"""One relays, one looks at what waits, and at times one deletes what is old."""

_log = structlog.get_logger(area="relay")


def configured_relay(settings: Settings, publish: Publish, metrics: Metrics | None = None) -> Relay:
    """Return a relay with connections of its own, none of which is open yet.

    Args:
        settings: With the addresses filled in, see `postgresql.provided`.
        publish: Of the bus.
        metrics: Where it is seen.
    """
    database = postgresql.opening(settings, pool_size=_CONNECTIONS)
    relay = Relay(database, publish, retention_days=settings.event_retention_days, report=_report)
    if metrics is not None:
        backlog = relay.backlog
        metrics.watch_relay(
            relayed=lambda: backlog.relayed,
            waiting=lambda: backlog.waiting,
            lag_seconds=lambda: backlog.lag_seconds,
        )
    return relay


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[None]:
    """Let a relay run beside the block, and close its connections after it."""
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await relay.database.close()


def _report(error: BaseException | None) -> None:
    if error is None:
        _log.info("events are relayed again")
    else:
        _log.warning("events are not relayed", error=type(error).__name__)
