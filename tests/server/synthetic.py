"""A small GraphQL server for tests of the endpoint alone: real HTTP, no database."""

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator

import httpx
from graphql import GraphQLObjectType, build_schema
from starlette.applications import Starlette
from starlette.routing import Route

from core.errors import Forbidden
from engine.documents import DocumentStore
from server.graphql.contexts import RequestView
from server.graphql.http import GraphQLEndpoint, HttpSettings
from server.graphql.operating import Operations, OperationSettings
from server.graphql.persisted import DocumentsInProcess
from tests.servers import served

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
PROBLEM = "application/problem+json"
SHOP_HEADER = "galleria-shop"
SECRET = "SELECT secret FROM shops"

SDL = """
    directive @cost(weight: String!) on FIELD_DEFINITION
    type Query {
        hello(name: String = "you"): String
        double(n: Int): Int
        echo(value: ID): ID
        filtered(filter: Filter): String
        shop: String
        ask(statements: Int!, rows: Int!): Boolean
        broken: String
        forbidden: String
        stray: String
        unprintable: Unprintable
        wait: String
        pause: String
        amount: Float
    }
    input Filter { name: String, all: [Filter] }
    scalar Unprintable
    type Mutation { note(text: String): String @cost(weight: "10") }
    type Subscription { ticks: Int }
"""


@dataclasses.dataclass
class Shop:
    id: uuid.UUID
    slug: str


@dataclasses.dataclass
class Actor:
    kind: str
    subject: str | None = None


@dataclasses.dataclass
class Statistics:
    statements: int = 0
    rows: int = 0


@dataclasses.dataclass
class Database:
    statistics: Statistics = dataclasses.field(default_factory=Statistics)


@dataclasses.dataclass
class Context:
    shop: Shop
    actor: Actor
    database: Database
    synthetic: "Synthetic"

    async def close(self) -> None:
        self.synthetic.closed += 1


@dataclasses.dataclass
class Synthetic:
    """A served endpoint and everything that happened in it."""

    url: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    reported: list[tuple[BaseException, str]] = dataclasses.field(default_factory=list)
    views: list[RequestView] = dataclasses.field(default_factory=list)
    waiting: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    resume: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    closed: int = 0
    refusal: BaseException | None = None
    opens: bool = True
    actor_kind: str = "anonymous"
    shops: dict[str, Shop] = dataclasses.field(default_factory=dict)
    persisted: DocumentsInProcess = dataclasses.field(default_factory=DocumentsInProcess)

    async def identify(self, view: RequestView) -> Context:
        self.views.append(view)
        if self.refusal is not None:
            raise self.refusal
        if not self.opens:
            await self.wait()
        slug = view.headers.get(SHOP_HEADER, "demo")
        shop = self.shops.setdefault(slug, Shop(uuid.uuid4(), slug))
        return Context(shop, Actor(self.actor_kind), Database(), self)

    def shop_of(self, _authorization: str | None, shop: str | None, _host: str | None) -> uuid.UUID | None:
        known = self.shops.get(shop or "demo")
        return None if known is None else known.id

    def open(self, caller: Context) -> Context:
        return caller

    async def wait(self) -> None:
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    def report(self, error: BaseException, request_id: str) -> None:
        self.reported.append((error, request_id))

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.url, headers={"accept": "application/json"}) as client:
            yield client


class Root:
    """Resolvers, one a field."""

    def hello(self, _info, name):
        return f"Hello {name}"

    def double(self, _info, n=None):
        return None if n is None else n * 2

    def echo(self, _info, value=None):
        return value

    def filtered(self, _info, **_arguments):
        return "yes"

    def shop(self, info):
        return info.context.shop.slug

    def ask(self, info, statements, rows):
        statistics = info.context.database.statistics
        statistics.statements += statements
        statistics.rows += rows
        return True

    async def broken(self, _info):
        raise LookupError(SECRET)

    async def forbidden(self, _info):
        raise Forbidden("This needs the permission catalogue:write.", permission="catalogue:write")

    async def stray(self, _info):
        raise asyncio.CancelledError

    def unprintable(self, _info):
        return object()

    async def wait(self, info):
        await info.context.synthetic.wait()

    async def pause(self, info):
        info.context.synthetic.waiting.set()
        await info.context.synthetic.resume.wait()
        return "done"

    def amount(self, _info):
        return 2.5

    def note(self, info, text=None):
        info.context.synthetic.notes.append(text)
        return text


def build_store(**options: object) -> DocumentStore:
    schema = build_schema(SDL)
    root = Root()
    for kind in (schema.query_type, schema.mutation_type):
        assert isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items():
            method = getattr(root, name)
            field.resolve = lambda _source, info, method=method, **arguments: method(info, **arguments)
    return DocumentStore(schema, **options)


@contextlib.asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[Synthetic]:
    """Serve the synthetic endpoint with these settings."""
    synthetic = Synthetic()
    ours = {field.name for field in dataclasses.fields(OperationSettings)}
    operations = Operations(
        store=build_store(),
        persisted=synthetic.persisted,
        entrance=synthetic,
        report=synthetic.report,
        settings=OperationSettings(**{name: settings.pop(name) for name in ours & settings.keys()}),
    )
    endpoint = GraphQLEndpoint(operations=operations, settings=HttpSettings(**settings))
    async with served(Starlette(routes=[Route("/graphql", endpoint=endpoint)])) as address:
        synthetic.url = address
        yield synthetic


async def post(client: httpx.AsyncClient, query: str, accept: str = JSON, **members: object) -> httpx.Response:
    return await client.post("/graphql", json={"query": query, **members}, headers={"accept": accept})


def only_error(response: httpx.Response) -> dict:
    (error,) = response.json()["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return error


def data_of(response: httpx.Response) -> dict:
    body = response.json()
    assert body.keys() == {"data", "extensions"}
    return body["data"]


def code_of(response: httpx.Response) -> str:
    return only_error(response)["extensions"]["code"]
