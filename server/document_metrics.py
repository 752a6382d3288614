"""Metrics of documents and of who executes them, read from the figures that the engine keeps anyway."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine.executions import Executions
from engine.kept import Statistics
from server.metrics import Metrics


def watch_documents(metrics: Metrics, statistics: Statistics) -> None:
    """Show at each scrape what became of the documents that operations came in; looking one up costs nothing more."""
    metrics.registry.register(_Documents(statistics))


class _Documents(Collector):
    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def collect(self) -> Iterable[Metric]:
        """Return the figures as they are."""
        seen = self._statistics
        results = CounterMetricFamily("galleria_documents", "Documents that operations came in.", labels=("result",))
        for result, count in (("hit", seen.hits), ("miss", seen.misses), ("refused", seen.refused)):
            results.add_metric((result,), count)
        evicted = "Documents that left the store to make room."
        return results, CounterMetricFamily("galleria_documents_evicted", evicted, value=seen.evictions)


def watch_executions(metrics: Metrics, executions: Executions) -> None:
    """Show at each scrape who executed operations, and how often the folded plan gave one up."""
    metrics.registry.register(_Executions(executions))


class _Executions(Collector):
    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    def collect(self) -> Iterable[Metric]:
        """Return the figures as they are."""
        seen = self._executions
        executors = CounterMetricFamily("galleria_executions", "Operations, by who executed.", labels=("executor",))
        for executor in ("folded", "loaders", "reference", "kept"):
            executors.add_metric((executor,), getattr(seen, executor))
        bails = "Operations that the folded plan gave up and another executed."
        return executors, CounterMetricFamily("galleria_execution_bails", bails, value=seen.bails)
