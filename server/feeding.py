"""The bus and the feeds of a process, put together as its settings say, and seen in logs and metrics."""

from collections.abc import Iterable

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.bus import Bus, BusInProcess
from core.database import Database
from core.redis_bus import BusInRedis
from core.settings import Settings
from resolvers.feeds import Feeds
from server.metrics import Metrics

_log = structlog.get_logger(area="live")


def configured_bus(settings: Settings) -> Bus:
    """Return the bus that reaches all who share the Redis of the settings; one of this process where there is none.

    That one is not healthy where the settings say that other processes relay: then events are polled.
    """
    if settings.redis_url is not None:
        return BusInRedis(settings.redis_url.value, report=_report_bus)
    bus = BusInProcess(is_alone=settings.relay and settings.workers == 1)
    if not bus.is_healthy:
        _log.warning("others relay events, and without REDIS_URL nobody tells of them; live events are polled")
    return bus


def configured_feeds(database: Database, bus: Bus, metrics: Metrics) -> Feeds:
    """Return the feeds of a process, which hear of news by a bus; metrics show both at each scrape."""
    feeds = Feeds(database, bus, report=_report_reading)
    metrics.registry.register(_Live(bus, feeds))
    return feeds


class _Live(Collector):
    def __init__(self, bus: Bus, feeds: Feeds) -> None:
        self._bus = bus
        self._feeds = feeds

    def collect(self) -> Iterable[Metric]:
        """Return the figures as they are."""
        bus, feeds = self._bus.statistics, self._feeds.statistics
        levels = (
            ("galleria_bus_healthy", "Whether nudges of other processes arrive.", self._bus.is_healthy),
            ("galleria_feeds", "Shops whose events are followed.", len(self._feeds)),
            ("galleria_feed_subscribers", "Who hears them, of all shops.", self._feeds.subscribers),
        )
        for name, text, level in levels:
            yield GaugeMetricFamily(name, text, float(level))
        counts = (
            ("galleria_bus_reconnections", "How often the bus was lost and came back.", bus.reconnections),
            ("galleria_bus_published", "Nudges handed over to other processes.", bus.published),
            ("galleria_bus_heard", "Nudges heard, one's own among them.", bus.heard),
            ("galleria_feed_reads", "Statements that read events.", feeds.reads),
            ("galleria_feed_polls", "Looks for events because the bus was away.", feeds.polls),
            ("galleria_feed_failures", "Readings of events that failed and were tried again.", feeds.failures),
            ("galleria_feed_events", "Events handed out, however many heard them.", feeds.handed_out),
        )
        for name, text, count in counts:
            yield CounterMetricFamily(name, text, float(count))


def _report_bus(error: BaseException | None) -> None:
    if error is None:
        _log.info("the bus carries events between processes")
    else:
        _log.warning("the bus is away; live events are polled", error=type(error).__name__)


def _report_reading(error: BaseException | None) -> None:
    if error is None:
        _log.info("events are read again")
    else:
        _log.warning("events cannot be read; trying again", error=type(error).__name__)
