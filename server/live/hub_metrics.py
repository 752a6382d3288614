"""Metrics of subscriptions: how many there are, what they share, and how long a message takes."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server.metrics import CODES, Metrics, one_of
from server.tallies import Distribution, Tally

# From a message of this process alone to one that waited for a relay elsewhere, or for the database.
_LAG_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclasses.dataclass(slots=True)
class HubStatistics:
    """What the hub has done so far.

    Attributes:
        opened: Subscriptions that were opened.
        refused: Those that were not.
        made: Messages that were executed and serialised.
        delivered: Messages that were handed over, each counted once for each subscriber.
        moved: Subscriptions that went on with other permissions.
        ends: Subscriptions that were ended here, by the code of why.
        lag: Seconds from the change to the moment when all who hear live were given the message.
    """

    opened: int = 0
    refused: int = 0
    made: int = 0
    delivered: int = 0
    moved: int = 0
    ends: Tally = dataclasses.field(
        default_factory=lambda: Tally(
            "galleria_subscription_ends", "Subscriptions that were ended by the server, by the code of why.", ("code",)
        )
    )
    lag: Distribution = dataclasses.field(
        default_factory=lambda: Distribution(
            "galleria_subscription_lag_seconds",
            "Time from a change to the hand-over of its message to the last live subscriber.",
            "topic",
            _LAG_SECONDS,
        )
    )

    def ended(self, code: str) -> None:
        """Count a subscription that was ended."""
        self.ends.add((one_of(code, CODES),))


def watch_hub(
    metrics: Metrics,
    statistics: HubStatistics,
    *,
    subscriptions: Callable[[], int],
    executions: Callable[[], int],
) -> None:
    """Show at each scrape what the hub does.

    Args:
        metrics: Of the process.
        statistics: Of the hub.
        subscriptions: Returns how many there are.
        executions: Returns how many different ones.
    """
    for each in (statistics.ends, statistics.lag, _Hub(statistics, subscriptions, executions)):
        metrics.registry.register(each)


class _Hub(Collector):
    def __init__(
        self, statistics: HubStatistics, subscriptions: Callable[[], int], executions: Callable[[], int]
    ) -> None:
        self._statistics = statistics
        self._subscriptions = subscriptions
        self._executions = executions

    def collect(self) -> Iterable[Metric]:
        """Return the figures as they are."""
        seen = self._statistics
        yield GaugeMetricFamily("galleria_subscriptions_open", "Open subscriptions.", self._subscriptions())
        yield GaugeMetricFamily(
            "galleria_subscription_executions",
            "Executions that open subscriptions share: as many different messages an event may become.",
            self._executions(),
        )
        for name, text in {
            "opened": "Subscriptions that were opened.",
            "refused": "Subscriptions that were refused when they were opened.",
            "moved": "Subscriptions that went on with other permissions.",
        }.items():
            yield CounterMetricFamily(f"galleria_subscriptions_{name}", text, value=getattr(seen, name))
        yield CounterMetricFamily("galleria_messages_made", "Messages that were executed.", value=seen.made)
        yield CounterMetricFamily("galleria_messages_delivered", "Messages, for each subscriber.", value=seen.delivered)
