"""The synthetic endpoint behind a door that lets few in."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from core.budgets import budgets
from core.leases import Leases
from core.rate_limit import BucketsInProcess
from server.admission.door import Doorkeeper
from server.admission.gate import Counts, Gate
from server.admission.limit import Limit
from server.graphql.http import GraphQLEndpoint
from server.graphql.operating import Operations
from server.limits import Budget
from server.metrics import Metrics, create_metrics
from server.observability import Observed
from tests.server.synthetic import Synthetic, build_store
from tests.servers import served

JSON = {"accept": "application/json"}
CAPACITY = 20
NOTE_COSTS = 10
"""Points, of each mutation."""


@dataclasses.dataclass
class Guarded:
    """A synthetic endpoint, its gate and its metrics."""

    synthetic: Synthetic
    gate: Gate
    metrics: Metrics
    operations: Operations

    def shed(self, kind: str, reason: str) -> float:
        labels = {"class": kind, "reason": reason}
        return self.metrics.registry.get_sample_value("galleria_shed_total", labels) or 0.0

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.synthetic.url, headers=JSON, timeout=20)


def _budget(metrics: Metrics) -> Budget:
    """Return budgets for whose owners no time goes by."""
    buckets = BucketsInProcess(timer=lambda: 0)
    few = budgets(f"shopper={CAPACITY}/1")
    return Budget(few, Leases(buckets, timer=lambda: 0.0), metrics)


@contextlib.asynccontextmanager
async def guarded(*, at_most: int = 1, has_door: bool = True, budget: bool = False) -> AsyncIterator[Guarded]:
    """Serve the synthetic endpoint, so many operations at a time; perhaps for no more than a budget."""
    synthetic, metrics = Synthetic(), create_metrics()
    counts = Counts()
    gate = Gate(Limit(at_most), counts=counts)
    counts.watch(metrics.registry, {"all": gate})
    operations = Operations(
        store=build_store(),
        persisted=synthetic.persisted,
        entrance=synthetic,
        report=synthetic.report,
        gate=gate,
        writing=Gate(Limit(at_most), counts=counts),
        budget=_budget(metrics) if budget else None,
    )
    keeper = Doorkeeper(path="/graphql", gate=gate, kinds=operations.kinds, lane_of=synthetic.shop_of, metrics=metrics)
    endpoint = Starlette(routes=[Route("/graphql", endpoint=GraphQLEndpoint(operations=operations))])
    async with served(Observed(endpoint, metrics, doorkeeper=keeper if has_door else None)) as address:
        synthetic.url = address
        yield Guarded(synthetic, gate, metrics, operations)
