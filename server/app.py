"""The application: what a process serves, and where."""

from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import Settings
from schema.printing import printed
from server import graphiql, health, pages
from server.admission.door import Doorkeeper
from server.demo.media import media_route
from server.graphql.http import GraphQLEndpoint, HttpSettings
from server.landing import examples_route, read_landing
from server.live.page import live_route
from server.live.sockets import Sockets
from server.metrics import metrics_route
from server.observability import Observed
from server.parts import Parts, parts_of


def create_app(settings: Settings) -> Observed:
    """Put the application together.

    Nothing is connected yet: its lifespan does that, and undoes it.
    """
    parts = parts_of(settings)
    endpoint = GraphQLEndpoint(
        operations=parts.operations,
        streams=parts.streams,
        settings=HttpSettings(
            body_limit_bytes=settings.body_limit_bytes,
            deadline_seconds=settings.deadline_seconds,
            max_age_seconds=settings.http_max_age_seconds,
        ),
    )
    graphql = Route("/graphql", endpoint)
    application: ASGIApp = Starlette(
        routes=[graphql, *_routes(parts)], middleware=_middleware(settings), lifespan=lambda _: parts.running()
    )
    if not settings.cors_origins:
        application = _straight_to(graphql, application)
    application = _with_sockets(graphql.path, parts.sockets, application)
    return Observed(application, parts.metrics, drain=parts.drain, doorkeeper=_doorkeeper(parts, graphql.path))


def _doorkeeper(parts: Parts, path: str) -> Doorkeeper | None:
    """Return what the door of the process asks; None where refusals need the headers that other origins ask for."""
    if parts.settings.cors_origins:
        return None
    return Doorkeeper(
        path=path,
        gate=parts.gate,
        kinds=parts.operations.kinds,
        lane_of=parts.operations.entrance.shop_of,
        metrics=parts.metrics,
    )


def _with_sockets(path: str, sockets: Sockets, application: ASGIApp) -> ASGIApp:
    """Lead the WebSockets of one path to where they are served, and everything else to the application."""

    async def lead(scope: Scope, receive: Receive, send: Send) -> None:
        serve = sockets if scope["type"] == "websocket" and scope["path"] == path else application
        await serve(scope, receive, send)

    return lead


def _routes(parts: Parts) -> list[Route]:
    """Return the routes beside that of the API."""
    settings = parts.settings
    routes = [
        pages.index_route(lambda request: read_landing(settings, parts.directory, request)),
        *health.routes(parts.probes),
    ]
    if settings.is_development:
        routes += [_schema_route(parts.store.schema), examples_route(settings), *graphiql.routes(), media_route()]
        routes += [live_route(), metrics_route(parts.metrics)]
    return routes


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
