"""`python -m bench.executor`: what executing an operation costs without a database, and whether it has become dearer.

Processor time differs between machines, so it is told as a ratio to that of graphql-core, which executes the same
operation in a loop beside. Both take turns and the least of many short samples counts: what disturbs a sample only adds
to it. Each attempt is a process of its own, since where things lie in memory is decided once a process.
"""

import asyncio
import dataclasses
import gc
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import orjson
import typer
from graphql import (
    ExecutionResult,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from bench.servers import ROOT
from engine import graphql
from engine.executables import Executor

KEPT = ROOT / "bench" / "results" / "executor.json"
TOLERANCE = 1.15
"""A ratio that is more than this above the kept one is a regression."""

_ATTEMPTS = 5
"""A regression shows in each; what disturbs the machine does not."""

_SAMPLES = 60
_OPERATIONS, _LOOPS = 8, 2
"""In a sample of ours and of graphql-core: some milliseconds, so that many samples lie between two interruptions."""

_FORM = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE

_PRODUCTS, _VARIANTS = 24, 3

_DOCUMENT = """
{
  products {
    id name slug ratingAverage ratingCount
    category { id name slug }
    media { url alt }
    variants { id sku name price { amount currency } availability { isAvailable quantity } }
  }
}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """What answers have below a product: one class with the fields of all."""

    id: str
    name: str
    slug: str
    url: str
    currency: str
    amount: str
    quantity: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Product:
    id: str
    name: str
    slug: str
    rating_average: float
    rating_count: int
    category: _Part
    media: list[_Part]
    variants: list[_Part]


def _products() -> list[_Product]:
    return [
        _Product(
            id=f"product-{number}",
            name=f"Product {number}",
            slug=f"product-{number}",
            rating_average=number / 5,
            rating_count=number,
            category=_part(number % 3),
            media=[_part(number)],
            variants=[_part(number * _VARIANTS + place) for place in range(_VARIANTS)],
        )
        for number in range(_PRODUCTS)
    ]


def _part(number: int) -> _Part:
    return _Part(f"part-{number}", f"Part {number}", f"part-{number}", f"/{number}", "USD", f"{number}.90", number)


def _object(type_name: str, /, **fields: GraphQLField) -> GraphQLNonNull[GraphQLObjectType]:
    return GraphQLNonNull(GraphQLObjectType(type_name, fields))


def _of(kind: Any, attribute: str) -> GraphQLField:
    return GraphQLField(GraphQLNonNull(kind), resolve=lambda parent, _: getattr(parent, attribute))


def _itself(kind: Any) -> GraphQLField:
    return GraphQLField(kind, resolve=lambda parent, _: parent)


def _schema(products: list[_Product]) -> GraphQLSchema:
    """Make a schema with plain fields, fields with resolvers, and a coroutine for each product."""

    async def category(product: _Product, _: Any) -> _Part:
        return product.category

    text, number = GraphQLField(GraphQLNonNull(GraphQLString)), GraphQLField(GraphQLNonNull(GraphQLInt))
    id_ = GraphQLField(GraphQLNonNull(GraphQLID))
    money = _object("Money", amount=text, currency=text)
    availability = _object("Availability", isAvailable=_of(GraphQLBoolean, "quantity"), quantity=number)
    variant = _object(
        "Variant",
        id=id_,
        sku=_of(GraphQLString, "slug"),
        name=text,
        price=_itself(money),
        availability=_itself(availability),
    )
    product = _object(
        "Product",
        id=id_,
        name=text,
        slug=text,
        ratingAverage=_of(GraphQLFloat, "rating_average"),
        ratingCount=_of(GraphQLInt, "rating_count"),
        category=GraphQLField(_object("Category", id=id_, name=text, slug=text), resolve=category),
        media=_list(_object("Media", url=text, alt=_of(GraphQLString, "name"))),
        variants=_list(variant),
    )
    root = GraphQLField(GraphQLNonNull(GraphQLList(product)), resolve=lambda *_: products)
    return GraphQLSchema(GraphQLObjectType("Query", {"products": root}))


def _list(kind: Any) -> GraphQLField:
    return GraphQLField(GraphQLNonNull(GraphQLList(kind)))


def measured() -> float:
    """Return the processor time of an execution over that of graphql-core.

    Raises:
        RuntimeError: They answer differently.
    """
    schema = _schema(_products())

    async def execute(executor: Executor, times: int) -> ExecutionResult:
        for _ in range(times):
            result = await graphql(schema, _DOCUMENT, executor=executor)
        return result

    with asyncio.Runner() as runner:
        ours, theirs = (runner.run(execute(executor, 2)) for executor in ("compiled", "reference"))
        if ours.errors or orjson.dumps(ours.data) != orjson.dumps(theirs.data):
            raise RuntimeError(f"The executor answers something else: {ours.errors}")
        ratio = least_ratio(
            lambda: runner.run(execute("compiled", _OPERATIONS)), lambda: runner.run(execute("reference", _LOOPS))
        )
    return ratio * _LOOPS / _OPERATIONS


def least_ratio(one: Callable[[], Any], other: Callable[[], Any]) -> float:
    """Return the least processor time of one thing over that of another, of samples taken in turn."""
    ones, others = [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(_SAMPLES):
            ones.append(_spent(one))
            others.append(_spent(other))
    finally:
        gc.enable()
    return min(ones) / min(others)


def _spent(work: Callable[[], Any]) -> int:
    begin = time.process_time_ns()
    work()
    return time.process_time_ns() - begin


def judged(ratios: list[float], kept: float) -> bool:
    """Tell whether the least of some ratios is within the tolerance."""
    return min(ratios) <= kept * TOLERANCE


def attempt() -> float:
    """Measure in a process of its own.

    It does without our environment: measuring the coverage of tests would slow down our part alone.
    """
    command = [sys.executable, "-c", "from bench.executor import measured; print(measured())"]
    told = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=True)  # noqa: S603  (our own)
    return float(told.stdout)


def executor(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the ratio for this version of Python.")] = False,
) -> None:
    """Compare the executor with the ratio that was kept; end with 1 where it has become dearer."""
    version = ".".join(platform.python_version_tuple()[:2])
    known: dict[str, float] = orjson.loads(KEPT.read_bytes()) if KEPT.exists() else {}
    if keep:
        known[version] = round(statistics.median(attempt() for _ in range(_ATTEMPTS)), 3)
        KEPT.write_bytes(orjson.dumps(known, option=_FORM))
    if version not in known:
        typer.echo(f"Nothing is kept for Python {version}; run: python -m bench.executor --keep")
        return
    ratios = [attempt()]
    while not judged(ratios, known[version]) and len(ratios) < _ATTEMPTS:
        ratios.append(attempt())
    typer.echo(f"{min(ratios):.3f} of graphql-core's time; {known[version]} is kept for Python {version}.")
    if not judged(ratios, known[version]):
        typer.echo(
            "Executing an operation has become dearer by more than 15 %: see what changed, or keep the new ratio."
        )
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(executor)
