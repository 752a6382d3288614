"""What a process that serves is made of: put together from its settings, started and stopped in order."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping

import redis.asyncio

from core import migrations
from core.bus import Bus
from core.database import Database
from core.read_pool import ReadPool
from core.redis_buckets import connect
from core.settings import Settings
from core.shared_texts import SharedTexts
from engine.documents import DocumentStore
from jobs.relay import Relay
from resolvers.feeds import Feeds
from schema.build import build
from server import health, postgresql
from server.addresses import Proxies
from server.admission.gate import Counts, Gate
from server.admission.limit import Limit
from server.authentication import Authenticator
from server.document_metrics import watch_documents, watch_executions
from server.entrance import Entrance
from server.feeding import configured_bus, configured_feeds
from server.graphql.costs import PriceLimits
from server.graphql.operating import Operations, OperationSettings
from server.graphql.persisted import DocumentsInProcess, PersistedDocuments, SharedDocuments
from server.graphql.registered import registered_documents
from server.keys import configured_keys
from server.limits import Budget, configured_budget
from server.live.hub import Hub
from server.live.sockets import Sockets, configured_sockets
from server.live.sse import Streams
from server.metrics import Metrics, create_metrics
from server.observability import report_masked
from server.relaying import configured_relay, relaying
from server.response_cache import CachedResponses, cached_responses
from server.tenancy import ShopDirectory

NOTICE = 0.1
"""Share of the time for draining that passes before the first socket is closed: whoever sends clients here has to see
that the process is not ready first, or they come straight back."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a process; nothing is connected before `running`.

    Attributes:
        settings: What they are made from.
        database: All shops.
        metrics: Where everything is counted.
        directory: Where shops are found.
        store: Documents, and the schema that they are executed on.
        cached: The response cache; None where there is none.
        budget: Who may ask for how much.
        bus: Says that there are events.
        feeds: The events of shops, for those who follow them.
        relay: Gives events their order; None where other processes do.
        probes: What the probes look at.
        operations: Serves what is asked, whatever it comes by.
        gate: Lets operations in, as many as can be served.
        hub: Brings events to subscribers.
        sockets: The WebSockets of the process.
        streams: Its streams of events.
    """

    settings: Settings
    database: Database
    metrics: Metrics
    directory: ShopDirectory
    store: DocumentStore
    cached: CachedResponses | None
    budget: Budget
    bus: Bus
    feeds: Feeds
    relay: Relay | None
    probes: health.Health
    operations: Operations
    gate: Gate
    hub: Hub
    sockets: Sockets
    streams: Streams
    _redis: redis.asyncio.Redis | None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect at the start, and hang up in the end."""
        async with contextlib.AsyncExitStack() as stack:
            await self.database.open()
            stack.push_async_callback(self.database.close)
            await self.bus.open()
            stack.push_async_callback(self.bus.close)
            stack.callback(self.feeds.close)
            if self.relay is not None:
                await stack.enter_async_context(relaying(self.relay))
            if self._redis is not None:
                stack.push_async_callback(self._redis.aclose)
            if self.cached is not None:
                self.cached.open()
                stack.push_async_callback(self.cached.close)
            await stack.enter_async_context(self.budget.swept())
            stack.push_async_callback(self.hub.close)
            await stack.enter_async_context(self.sockets.counted())
            await stack.enter_async_context(self.streams.running())
            self.probes.is_started = True
            try:
                yield
            finally:
                self.probes.is_draining = True

    async def drain(self) -> None:
        """Announce the end of the process, and close what is live; all else is served meanwhile."""
        self.probes.is_draining = True
        notice = self.settings.drain_seconds * NOTICE
        await asyncio.sleep(notice)
        seconds = self.settings.drain_seconds - notice
        await asyncio.gather(self.sockets.drain(seconds), self.streams.drain(seconds))


def parts_of(settings: Settings) -> Parts:
    """Make the parts as the settings want them."""
    database = postgresql.opening(settings, pool_size=settings.pool_size)
    client = connect(settings.redis_url.value) if settings.redis_url else None
    metrics = _metrics(database)
    directory = ShopDirectory(database)
    registered = registered_documents(settings.registered_documents) if settings.registered_documents else None
    store = _store(settings, metrics, registered or {})
    cached = cached_responses(settings, store, database, metrics, directory=directory)
    budget = configured_budget(settings, metrics)
    bus = configured_bus(settings)
    relay = configured_relay(settings, bus.publish, metrics) if settings.relay else None
    feeds = configured_feeds(database, bus, metrics)
    entrance = _entrance(settings, database, directory, cached, relay)
    gate, writing = _gates(settings, database, metrics)
    operations = Operations(
        store=store,
        persisted=_persisted(registered, client),
        entrance=entrance,
        report=lambda error, request_id: report_masked(metrics, error, request_id=request_id),
        settings=OperationSettings(
            development=settings.is_development,
            registered_only=registered is not None,
            prices=PriceLimits(settings.price_limit_shoppers, settings.price_limit_staff),
        ),
        proxies=Proxies(settings.trusted_proxies, settings.proxy_header),
        cache=cached.responses if cached else None,
        budget=budget,
        gate=gate,
        writing=writing,
    )
    hub = Hub(feeds, entrance, store, report=operations.report)
    hub.watch(metrics)
    sockets = configured_sockets(settings, operations, hub, metrics)
    return Parts(
        settings=settings,
        database=database,
        metrics=metrics,
        directory=directory,
        store=store,
        cached=cached,
        budget=budget,
        bus=bus,
        feeds=feeds,
        relay=relay,
        probes=health.watch_health(metrics.registry, _probes(database, client, bus)),
        operations=operations,
        gate=gate,
        hub=hub,
        sockets=sockets,
        streams=Streams(
            operations, hub, slots=sockets.slots, crowd=sockets.crowd, metrics=metrics, bounds=sockets.bounds
        ),
        _redis=client,
    )


def _metrics(database: Database) -> Metrics:
    """Return the metrics of a process, its pools among them."""
    metrics = create_metrics()
    for name, pool in {"reads": database.reads, "writes": database.writes}.items():
        _watch(metrics, name, pool)
    return metrics


def _gates(settings: Settings, database: Database, metrics: Metrics) -> tuple[Gate, Gate]:
    """Return what lets operations in, and then those that write; each looks at the waiting for its connections."""
    counts = Counts()

    def of(pool: ReadPool) -> Gate:
        limit = Limit(settings.concurrency, lowest=2 * settings.pool_size)
        return Gate(limit, waits=lambda: pool.waiting_seconds, counts=counts)

    gate, writing = of(database.reads), of(database.writes)
    counts.watch(metrics.registry, {"all": gate, "writing": writing})
    return gate, writing


def _watch(metrics: Metrics, name: str, pool: ReadPool) -> None:
    metrics.watch_pool(name, in_use=lambda: pool.in_use, at_most=lambda: pool.settings.at_most)


def _store(settings: Settings, metrics: Metrics, registered: Mapping[str, str]) -> DocumentStore:
    store = DocumentStore(build(), suggestions=settings.is_development)
    watch_documents(metrics, store.statistics)
    watch_executions(metrics, store.executions)
    for text in registered.values():
        store.prepare(text)
    return store


def _persisted(registered: Mapping[str, str] | None, client: redis.asyncio.Redis | None) -> PersistedDocuments:
    """Return the documents that clients name by their hash; those that all know beforehand need not be shared."""
    local = DocumentsInProcess(registered=registered)
    return (
        local if client is None or registered is not None else SharedDocuments(local, SharedTexts(client, "document"))
    )


def _probes(database: Database, client: redis.asyncio.Redis | None, bus: Bus) -> health.Health:
    return health.Health(
        database,
        lambda: migrations.current_revision(database),
        oldest_revision=migrations.newest_revision(),
        redis=client.ping if client else None,
        # A bus of this process alone is what it is from the beginning; it is told where it is not enough.
        is_bus_healthy=(lambda: bus.is_healthy) if client or not bus.is_healthy else None,
    )


def _entrance(
    settings: Settings,
    database: Database,
    directory: ShopDirectory,
    cached: CachedResponses | None,
    relay: Relay | None,
) -> Entrance:
    """Return what finds out who asks, and for which shop."""
    keys = configured_keys(settings)
    return Entrance(
        authenticator=Authenticator(keys, issuer=settings.token_issuer, audience=settings.token_audience),
        directory=directory,
        database=database,
        cached=cached,
        default_shop=settings.default_shop,
        deadline_seconds=settings.deadline_seconds,
        on_write=relay.wake if relay else None,
    )
