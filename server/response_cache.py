"""The cache of finished answers, put together: where they are kept, when they are old, who is told."""

import dataclasses
import functools
import uuid

from graphql import GraphQLSchema
from redis.asyncio import Redis

from core.cache import Cache, Count, Memory
from core.database import Database
from core.nudges import Nudges
from core.settings import Settings
from core.shared_cache import RedisStore
from core.stamps import Stamps
from engine.documents import DocumentStore
from schema.lifetimes import seconds_of
from server.catalogue_versions import CatalogueVersions, audience_of, generation_of
from server.graphql.caching import ResponseCache
from server.metrics import Metrics
from server.remaking import Kitchen, NotedResponses, Recipes, Remaking
from server.tenancy import ShopDirectory


@dataclasses.dataclass(frozen=True, slots=True)
class CachedResponses:
    """The response cache of a process.

    Attributes:
        responses: What the endpoint asks.
    """

    responses: ResponseCache
    _remaking: Remaking
    _versions: CatalogueVersions
    _nudges: Nudges | None
    _client: Redis | None

    def changed(self, shop_id: uuid.UUID) -> None:
        """Read the version of a shop again before anything more is answered here, and let others do the same."""
        self.responses.stamps.forget(shop_id)
        self._remaking.changed(shop_id)
        if self._nudges is not None:
            self._nudges.send(shop_id)

    async def looked_again(self, shop_id: uuid.UUID) -> bool:
        """Make sure that the version of a shop is known; tell whether it had to be read.

        Where that shows a change, what was known of the shop itself has been forgotten.
        """
        stamps = self.responses.stamps
        if stamps.known(shop_id) is not None:
            return False
        await stamps.current(shop_id)
        return True

    def open(self) -> None:
        """Begin to listen to other processes, and to make anew what changes end."""
        self._remaking.open()
        if self._nudges is not None:
            self._nudges.open()

    async def close(self) -> None:
        """End what is under way."""
        await self._remaking.close()
        await self._versions.close()
        if self._nudges is not None:
            await self._nudges.close()
        if self._client is not None:
            await self._client.aclose()


def cached_responses(
    settings: Settings, store: DocumentStore, database: Database, metrics: Metrics, *, directory: ShopDirectory
) -> CachedResponses | None:
    """Return the response cache that the settings want; None where they want none.

    Args:
        settings: Of the process.
        store: The documents of operations, and the schema that these are executed on.
        database: Where the catalogues are.
        metrics: Where hits and misses are counted.
        directory: Told of each shop that has turned out to be changed.
    """
    if not settings.response_cache_bytes:
        return None
    versions = CatalogueVersions(database, deadline_seconds=settings.deadline_seconds)

    def changed(shop_id: uuid.UUID) -> None:
        directory.forget(shop_id)
        remaking.changed(shop_id)

    def nudged(shop_id: uuid.UUID) -> None:
        stamps.forget(shop_id)
        remaking.changed(shop_id)

    stamps = Stamps(versions.read, bound_seconds=settings.response_cache_staleness_ms / 1000, on_change=changed)
    count = _counting(metrics)
    url = settings.redis_url.value if settings.redis_url else None
    # Connections of their own: what listens may wait for ever, what asks may not.
    client = Redis.from_url(url) if url else None
    nudges = Nudges(Redis.from_url(url), nudged) if url else None
    shared = RedisStore(client, count=count) if client else None
    cache = Cache(Memory(settings.response_cache_bytes), shared=shared, count=count)
    responses = _noted(store.schema, cache, stamps)
    deadline = settings.deadline_seconds
    remaking = Remaking(
        Kitchen(database=database, directory=directory, store=store, responses=responses, deadline_seconds=deadline)
    )
    metrics.registry.register(remaking.remade)
    return CachedResponses(responses, remaking, versions, nudges, client)


def _noted(schema: GraphQLSchema, cache: Cache, stamps: Stamps) -> NotedResponses:
    return NotedResponses(
        schema=schema,
        cache=cache,
        stamps=stamps,
        seconds_of=seconds_of,
        audience_of=audience_of,
        generation=generation_of(schema),
        recipes=Recipes(),
    )


def _counting(metrics: Metrics) -> Count:
    # Looking a label up takes longer than counting, and each request counts.
    counters = functools.cache(metrics.response_cache.labels)
    return lambda layer, result: counters(layer, result).inc()
