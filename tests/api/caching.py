"""Applications that keep answers, each with a cache of its own as processes have, and what is read through them."""

import asyncio
import contextlib
import dataclasses
import importlib
import string
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from core.database import Database
from core.settings import Settings
from tests.api.catalogues import Catalogue
from tests.api.conftest import Answer, Api
from tests.servers import served

MEMORY = 16 * 1_048_576
STALENESS_SECONDS = 0.4
"""How old the answers of a process may be that nobody tells of changes."""

NAMES = "{ products(first: 5, sort: NAME_ASC) { nodes { name } } }"

_PRODUCT = """
    name slug vendor tags status category { name } productType { name } collections(first: 2) { name }
    attributes(first: 2) { text value { name } attribute { name } } media(first: 2) { url alt }
    related(first: 2) { name } variants(first: 2) { name sku price { amount } availability { quantity isAvailable } }
    priceRange { minimum { amount } } availability { quantity } reviews(first: 2) { nodes { title rating status } }
"""

READS: Mapping[str, str] = {
    "shop": "shop { name slug defaultCurrency defaultLocale }",
    "channels": "channels { name slug currency isDefault }",
    "product": f'product(id: "$Product") {{ {_PRODUCT} }} german: product(id: "$Product", locale: "de") {{ name }}',
    "products": """
        products(first: 2, sort: NAME_ASC) { totalCount nodes { name slug availability { quantity } } }
        found: products(first: 1, sort: NAME_DESC) { facets { attribute { name } } }
    """,
    "variant": """
        variant(id: "$Variant") {
            name price { amount } availability { quantity } attributes(first: 2) { value { name } }
            media(first: 2) { url } product { name }
        }
    """,
    "category": """
        category(id: "$Category") {
            name parent { name } ancestors { name } children(first: 2) { name } products(first: 2) { nodes { name } }
        }
    """,
    "categories": "categories(first: 2) { name children(first: 2) { name } }",
    "collection": """
        collection(id: "$Collection") { name isPublished products(first: 2) { totalCount nodes { name } } }
    """,
    "node": """node(id: "$Review") { id ... on Review { title status } }""",
    "nodes": """
        nodes(ids: ["$Product", "$Channel", "$AttributeValue", "$Media"]) {
            id ... on Product { name } ... on Channel { name } ... on AttributeValue { name } ... on Media { url }
        }
    """,
    "collections": "collections(first: 2) { totalCount nodes { name } }",
    "attributes": "attributes(first: 2) { totalCount nodes { name values(first: 2) { name } } }",
    "productTypes": "productTypes(first: 2) { totalCount nodes { name attributes(first: 2) { name } } }",
}
"""What is asked through each root field that everybody may ask for, by the field's name."""


def query_of(name: str, made: Catalogue) -> str:
    """Return an operation through one root field."""
    return f"{{ {string.Template(READS[name]).substitute(_Ids(made))} }}"


def query_of_all(made: Catalogue) -> str:
    """Return an operation through all of them."""
    return f"{{ {' '.join(string.Template(read).substitute(_Ids(made)) for read in READS.values())} }}"


class _Ids(dict[str, str]):
    """The global id of the first row of each type."""

    def __init__(self, made: Catalogue) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, type_name: str) -> str:
        return self._made.id_of(type_name)


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """An application and a client of it."""

    client: httpx.AsyncClient
    settings: Settings

    def of(self, made: Catalogue) -> Api:
        """Return a client of a shop."""
        return Api(self.client, self.settings, made.shop, replays=False)


@contextlib.asynccontextmanager
async def process(settings: Settings, **changes: Any) -> AsyncIterator[Process]:
    """Run an application that keeps answers."""
    settings = dataclasses.replace(settings, response_cache_bytes=MEMORY, **changes)
    application = importlib.import_module("server.app").create_app(settings)
    async with served(application) as address, httpx.AsyncClient(base_url=address) as client:
        yield Process(client, settings)


async def read(api: Api, made: Catalogue) -> dict[str, Any]:
    """Return what is read through each root field, by an operation of its own."""
    return {name: (await api(query_of(name, made))).data for name in READS}


async def hits(process: Process) -> dict[tuple[str, str], float]:
    """Return what the cache of an application has counted so far, by layer and result."""
    counted = await metrics(process, "galleria_response_cache_total")
    return {(labels["layer"], labels["result"]): value for labels, value in counted}


async def metric(process: Process, name: str, **labels: str) -> float:
    """Return what a counter of an application stands at."""
    return next((value for found, value in await metrics(process, name) if found == labels), 0.0)


async def metrics(process: Process, name: str) -> list[tuple[dict[str, str], float]]:
    """Return the values of a metric of an application, with their labels."""
    families = text_string_to_metric_families((await process.client.get("/metrics")).text)
    samples = [sample for family in families for sample in family.samples]
    return [(dict(sample.labels), sample.value) for sample in samples if sample.name == name]


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 5) -> float:
    """Ask again until something is so, and return how long that took."""
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await condition():
            continue
    return time.monotonic() - started


def cache_of(answer: Answer) -> Mapping[str, Any]:
    """Return what an answer tells of the cache."""
    told: Mapping[str, Any] = answer.body["extensions"]["cache"]
    return told


async def write_statements(database: Database, made: Catalogue, statements: str) -> None:
    """Write to a shop behind the back of all processes, as an import does."""
    async with database.of_tenant(made.shop.id).write() as transaction:
        for statement in statements.split(";"):
            await transaction.execute(text(statement))
        await transaction.commit()
