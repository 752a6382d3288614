"""The application: everything that a process serves, put together from its settings."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import redis.asyncio
from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core import migrations
from core.database import Database
from core.settings import Settings
from engine.documents import DocumentStore
from schema.build import build
from schema.printing import printed
from server import graphiql, health, pages, postgresql
from server.addresses import Proxies
from server.authentication import Authenticator
from server.demo.media import media_route
from server.document_metrics import watch_documents, watch_executions
from server.entrance import Entrance
from server.graphql.costs import PriceLimits
from server.graphql.http import GraphQLEndpoint, HttpSettings
from server.graphql.operating import Operations, OperationSettings
from server.graphql.persisted import DocumentsInProcess
from server.graphql.registered import registered_documents
from server.keys import configured_keys
from server.landing import examples_route, read_landing
from server.limits import Budget, configured_budget
from server.metrics import Metrics, create_metrics, metrics_route
from server.observability import Observed, report_masked
from server.response_cache import CachedResponses, cached_responses
from server.tenancy import ShopDirectory


def create_app(settings: Settings) -> Observed:
    """Put the application together.

    Nothing is connected yet: its lifespan does that, and undoes it.
    """
    database = Database.of(postgresql.application_url(settings), pool_size=settings.pool_size)
    cache = redis.asyncio.from_url(settings.redis_url.value) if settings.redis_url else None
    probes = health.Health(
        database,
        lambda: migrations.current_revision(database),
        oldest_revision=migrations.newest_revision(),
        redis=cache.ping if cache else None,
    )
    metrics = _metrics(database)
    schema = build()
    directory = ShopDirectory(database)
    store = DocumentStore(schema, suggestions=settings.is_development)
    watch_documents(metrics, store.statistics)
    watch_executions(metrics, store.executions)
    cached = cached_responses(settings, store, database, metrics, directory=directory)
    budget = configured_budget(settings, metrics)
    registered = registered_documents(settings.registered_documents) if settings.registered_documents else None
    for text in (registered or {}).values():
        store.prepare(text)
    operations = Operations(
        store=store,
        persisted=DocumentsInProcess(registered=registered),
        entrance=_entrance(settings, database, directory, cached),
        report=lambda error, request_id: report_masked(metrics, error, request_id=request_id),
        settings=OperationSettings(
            development=settings.is_development,
            registered_only=registered is not None,
            prices=PriceLimits(settings.price_limit_shoppers, settings.price_limit_staff),
        ),
        proxies=Proxies(settings.trusted_proxies, settings.proxy_header),
        cache=cached.responses if cached else None,
        budget=budget,
    )
    endpoint = GraphQLEndpoint(
        operations=operations,
        settings=HttpSettings(
            body_limit_bytes=settings.body_limit_bytes,
            deadline_seconds=settings.deadline_seconds,
            max_age_seconds=settings.http_max_age_seconds,
        ),
    )
    graphql = Route("/graphql", endpoint)
    routes = [
        graphql,
        pages.index_route(lambda request: read_landing(settings, directory, request)),
        *health.routes(probes),
    ]
    if settings.is_development:
        routes += [_schema_route(schema), examples_route(settings), *graphiql.routes(), media_route()]
        routes += [metrics_route(metrics)]
    lifespan = _lifespan(database, cache, probes, cached, budget)
    application: ASGIApp = Starlette(routes=routes, middleware=_middleware(settings), lifespan=lifespan)
    if not settings.cors_origins:
        application = _straight_to(graphql, application)
    return Observed(application, metrics)


def _straight_to(route: Route, application: ASGIApp) -> ASGIApp:
    """Lead requests for one path past the router and its middleware, which take as long as a look-up in the database.

    Args:
        route: Of an ASGI endpoint that answers every method, and that raises nothing.
        application: For all other requests.
    """
    path, endpoint = route.path, route.app

    async def lead(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == path:
            scope["route"] = route
            await endpoint(scope, receive, send)
        else:
            await application(scope, receive, send)

    return lead


def _metrics(database: Database) -> Metrics:
    """Return the metrics of a process, its pool among them."""
    metrics = create_metrics()
    metrics.watch_pool(
        "reads",
        in_use=lambda: database.reads.in_use,
        at_most=lambda: database.reads.settings.at_most,
    )
    return metrics


def _lifespan(
    database: Database,
    cache: redis.asyncio.Redis | None,
    probes: health.Health,
    cached: CachedResponses | None,
    budget: Budget,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what connects at the start, and hangs up in the end."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await database.open()
        if cached is not None:
            cached.open()
        probes.is_started = True
        async with budget.swept():
            yield
            probes.is_draining = True
        if cached is not None:
            await cached.close()
        if cache is not None:
            await cache.aclose()
        await database.close()

    return lifespan


def _entrance(
    settings: Settings, database: Database, directory: ShopDirectory, cached: CachedResponses | None
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
    )


def _schema_route(schema: GraphQLSchema) -> Route:
    """Return the route of the schema's text, for tools."""
    text = printed(schema)

    async def show(_: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    return Route("/schema.graphql", show)


def _middleware(settings: Settings) -> list[Middleware]:
    """Allow pages of other origins where the settings name them."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    ]
