"""Metrics for Prometheus, with labels from closed lists only."""

import dataclasses
from collections.abc import Callable, Collection, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.tallies import Distribution, Level, Tally

METRICS_PATH = "/metrics"

OPERATION_TYPES = frozenset({"query", "mutation", "subscription"})
CODES = frozenset(
    {
        "BAD_REQUEST",
        "BAD_USER_INPUT",
        "COST_EXCEEDED",
        "FORBIDDEN",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "IDEMPOTENCY_IN_PROGRESS",
        "IDEMPOTENCY_KEY_REUSED",
        "INTERNAL",
        "LIMIT_EXCEEDED",
        "OVERLOADED",
        "PERSISTED_QUERY_NOT_FOUND",
        "SHOP_NOT_FOUND",
        "SHOP_SUSPENDED",
        "THROTTLED",
        "TIMEOUT",
        "TOKEN_EXPIRED",
        "UNAUTHENTICATED",
    }
)
"""The closed list of request error codes."""

NONE = "none"
OTHER = "other"

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# From a cache hit to the deadline of a request.
_DURATION_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# A page takes about ten; far more means that a field reads row by row.
_STATEMENTS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)


@dataclasses.dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one application; a registry of its own lets several live in one process.

    Attributes:
        registry: What `/metrics` prints.
        requests: Requests answered, by type of operation, HTTP status and first error code.
        duration: Seconds from the first byte of a request to the last of its answer.
        in_flight: Requests under way.
        statements: SQL statements an operation.
        masked_errors: Unexpected exceptions that clients saw as INTERNAL.
        pool_connections: Connections of a pool: in use, and at most.
        throttled: Requests refused for a budget that was spent, by kind of client, and whether it was its own.
        budget_errors: Calls to Redis for a budget that failed.
        response_cache: Kept answers looked for, by layer (`process`, `shared`) and result (see `core.cache.Count`).
    """

    registry: CollectorRegistry
    requests: Tally
    duration: Distribution
    in_flight: Level
    statements: Distribution
    masked_errors: Counter
    pool_connections: Gauge
    throttled: Counter
    budget_errors: Counter
    response_cache: Counter

    def watch_pool(self, pool: str, *, in_use: Callable[[], float], at_most: Callable[[], float]) -> None:
        """Read the use of a connection pool at each scrape.

        Args:
            pool: Its name, such as `reads`.
            in_use: Returns the connections that work.
            at_most: Returns how many there may be.
        """
        self.pool_connections.labels(pool, "in_use").set_function(in_use)
        self.pool_connections.labels(pool, "at_most").set_function(at_most)

    def watch_leases(
        self, *, points: Callable[[], int], from_lease: Callable[[], int], from_store: Callable[[], int]
    ) -> None:
        """Read what is known of budgets at each scrape, since counting each charge would cost more than the charge.

        Args:
            points: Returns the points that the process holds ahead.
            from_lease: Returns the charges so far that were paid with such points.
            from_store: Returns the charges so far that asked where budgets are kept.
        """
        self.registry.register(_Budgets(points, {"lease": from_lease, "store": from_store}))

    def watch_relay(
        self, *, relayed: Callable[[], int], waiting: Callable[[], int], lag_seconds: Callable[[], float]
    ) -> None:
        """Read what the relay of this process has done, and what it has seen, at each scrape.

        Args:
            relayed: Returns the events so far that it gave their sequence.
            waiting: Returns the events of all shops that have none.
            lag_seconds: Returns for how long the first of them has been waiting; 0 where none is.
        """
        self.registry.register(_Outbox(relayed, waiting, lag_seconds))


def create_metrics() -> Metrics:
    """Return metrics that stand at zero."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    requests = Tally("galleria_requests", "Requests answered.", ("operation", "status", "code"))
    duration = Distribution(
        "galleria_request_duration_seconds",
        "Time from a request's first byte to its answer's last.",
        "operation",
        _DURATION_SECONDS,
    )
    statements = Distribution(
        "galleria_operation_statements", "SQL statements of an operation.", "operation", _STATEMENTS
    )
    in_flight = Level("galleria_requests_in_flight", "Requests under way.")
    for each in (requests, duration, statements, in_flight):
        registry.register(each)
    return Metrics(
        registry=registry,
        requests=requests,
        duration=duration,
        in_flight=in_flight,
        statements=statements,
        masked_errors=Counter(
            "galleria_masked_errors", "Unexpected exceptions that were answered as INTERNAL.", registry=registry
        ),
        pool_connections=Gauge(
            "galleria_pool_connections", "Database connections of a pool.", ("pool", "state"), registry=registry
        ),
        throttled=Counter(
            "galleria_throttled", "Requests refused for a spent budget.", ("client", "budget"), registry=registry
        ),
        budget_errors=Counter("galleria_budget_errors", "Calls to Redis for a budget that failed.", registry=registry),
        response_cache=Counter(
            "galleria_response_cache", "Kept answers looked for.", ("layer", "result"), registry=registry
        ),
    )


@dataclasses.dataclass(slots=True, eq=False)
class _Budgets(Collector):
    points: Callable[[], int]
    charges: dict[str, Callable[[], int]]

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield GaugeMetricFamily("galleria_budget_lease_points", "Points that this process holds.", self.points())
        charges = CounterMetricFamily("galleria_budget_charges", "Charges, by what paid them.", labels=("source",))
        for source, count in self.charges.items():
            charges.add_metric((source,), count())
        yield charges


@dataclasses.dataclass(slots=True, eq=False)
class _Outbox(Collector):
    relayed: Callable[[], int]
    waiting: Callable[[], int]
    lag_seconds: Callable[[], float]

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield CounterMetricFamily("galleria_outbox_relayed", "Events given a sequence here.", self.relayed())
        yield GaugeMetricFamily("galleria_outbox_waiting", "Events of all shops without a sequence.", self.waiting())
        yield GaugeMetricFamily(
            "galleria_outbox_lag_seconds", "How long the first of those has been waiting.", self.lag_seconds()
        )


def one_of(value: str | None, known: Collection[str]) -> str:
    """Return a value as a label: itself where it is known, else `none` or `other`, so that labels stay few."""
    if value is None:
        return NONE
    return value if value in known else OTHER


def metrics_route(metrics: Metrics) -> Route:
    """Return the route that Prometheus scrapes."""

    async def scrape(_: Request) -> Response:
        return Response(
            generate_latest(metrics.registry), media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"}
        )

    return Route(METRICS_PATH, scrape)
