"""Random operations on Galleria's own schema and a shop in PostgreSQL: folded, by loaders, and by graphql-core."""

import dataclasses
import os
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, OperationDefinitionNode

from core.clock import system_clock
from core.database import Database
from core.ids import encode_global_id
from loaders import Loaders
from loaders import catalogue as relations
from loaders.batching import Relation
from resolvers.context import ANONYMOUS, SYSTEM, Context
from schema.build import build
from schema.views import type_name_of
from tests.api.catalogues import Catalogue
from tests.engine.cases import Case, Fallbacks, Surroundings, cases_of, differences
from tests.engine.operations import Wishes, Writer, seeded
from tests.loaders.test_carrying import made

__all__ = ["made"]

COUNT = int(os.environ.get("GALLERIA_DIFFERENTIAL", "20000")) // 40
PARTS = 4
CHUNK = 50
SCHEMA = build()
assert SCHEMA.query_type is not None
QUERY = SCHEMA.query_type
NAMES = {id(each): name for name, each in vars(relations).items() if isinstance(each, Relation)}
FEW = (1, 2, 3)
SHARED = {"first": FEW, "last": FEW, "locale": ("en", "de", "fr", "de", "no-locale-at-all")}
"""Values of arguments that have the same name wherever they stand."""

SELDOM = frozenset(("last", "before", "after", "filter", "slug", "sku", "externalRef"))
"""Arguments that go badly with others."""


class Misfortune(Exception):
    """What a faulty batch raises."""


@dataclasses.dataclass(slots=True)
class FaultyContext(Context):
    """A context whose batches fail, and whose children are missing, by a seed."""

    seed: int = 0

    def load(self, relation: Relation, key: Any, root: str, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        async def one() -> Any:
            return (await self._all(relation, [key], [await Context.load(self, relation, key, root, arguments)]))[0]

        return one()

    def load_list(
        self, relation: Relation, keys: Sequence[Any], root: str, arguments: Mapping[str, Any], *, alone: bool = False
    ) -> Awaitable[list[Any]]:
        async def several() -> list[Any]:
            loaded = await Context.load_list(self, relation, keys, root, arguments, alone=alone)
            return await self._all(relation, keys, loaded)

        return several()

    async def _all(self, relation: Relation, keys: Sequence[Any], loaded: Sequence[Any]) -> list[Any]:
        name = NAMES[id(relation)]
        if any(key is not None for key in keys) and self._chance(name, "all") < 8:
            raise Misfortune(name)
        return [
            None if key is not None and self._chance(name, key) < 8 else each
            for key, each in zip(keys, loaded, strict=True)
        ]

    def _chance(self, name: str, key: Any) -> int:
        return zlib.crc32(f"{self.seed} {name} {key}".encode()) % 100


@pytest.fixture
def wishes(made: Catalogue) -> Wishes:
    """Wishes with the ids and names of the shop's rows, and some of nobody's."""
    ids = {
        type_name_of(table): [encode_global_id(type_name_of(table), row.id) for row in rows[:4]]
        for table, rows in made.rows.items()
        if hasattr(rows[0], "id") and type_name_of(table) in SCHEMA.type_map
    }
    names = [row.slug for rows in made.rows.values() for row in rows[:2] if hasattr(row, "slug")]
    values: dict[str, Sequence[Any]] = {
        "ID": [*(each for several in ids.values() for each in several), "nobody"],
        "String": [*names, "Product", ""],
        "Int": FEW,
        "DateTime": ("2026-01-31T12:00:00Z",),
        "Date": ("2026-01-31",),
        "Decimal": ("12.50", 3),
        "BigInt": ("5", "9007199254740993"),
    }
    for name in ("Product", "Variant", "Category", "Collection"):
        values[f"Query.{name.lower()}.id"] = [*ids[name], *ids[name], "nobody"]
    for each in SCHEMA.type_map.values():
        for name, field in each.fields.items() if isinstance(each, GraphQLObjectType | GraphQLInterfaceType) else ():
            for argument in field.args.keys() & SHARED.keys():
                values[f"{each.name}.{name}.{argument}"] = SHARED[argument]
    values |= {f"Query.{name}.channel": [row.slug for row in made.rows["channel"]] for name in QUERY.fields}
    return Wishes(depth=7, size=30, values=values, always=frozenset({"first", "id"}), seldom=SELDOM)


def surroundings(
    database: Database, made: Catalogue, seed: int, *, is_faulty: bool
) -> Callable[[OperationDefinitionNode], Callable[[], Surroundings]]:
    """Return what makes contexts of the shop: for shoppers and for those who may see all."""

    def make() -> Surroundings:
        tenant = database.of_tenant(made.shop.id)
        given = {
            "shop": made.shop,
            "actor": (SYSTEM, SYSTEM, ANONYMOUS)[seed % 3],
            "database": tenant,
            "loaders": Loaders(tenant),
            "clock": system_clock,
        }
        context = FaultyContext(**given, seed=seed) if is_faulty else Context(**given)
        return Surroundings(context, close=tenant.close)

    return lambda _: make


def cases(database: Database, made: Catalogue, wishes: Wishes, seeds: Sequence[int], *, is_faulty: bool) -> list[Case]:
    return [
        case
        for seed in seeds
        for case in cases_of(
            SCHEMA,
            Writer(SCHEMA, seeded(seed), wishes).operations(),
            surroundings(database, made, seed, is_faulty=is_faulty),
            f"seed {seed}",
        )
    ]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("executor", ["compiled", "loaders"])
async def test_random_operations_on_a_shop(  # noqa: PLR0913, PLR0917  (fixtures)
    database, made, wishes, executor, part, monkeypatch
):
    fallbacks = Fallbacks(monkeypatch)
    executed = 0
    for start in range(part, COUNT, CHUNK * PARTS):
        seeds = range(start, min(start + CHUNK * PARTS, COUNT), PARTS)
        chunk = cases(database, made, wishes, seeds, is_faulty=False)
        found = await differences(chunk, executor)
        assert not found, f"{len(found)} differ; the first:\n{found[0]}"
        executed += len(chunk)
    assert fallbacks.count - executed <= executed // 10, "nearly everything is for the engine"


@pytest.mark.parametrize("part", range(PARTS))
async def test_failing_batches_and_missing_rows(database, made, wishes, part):
    """Faults are those of loaders, so that nothing is folded here."""
    for start in range(part, COUNT, CHUNK * PARTS):
        seeds = range(start, min(start + CHUNK * PARTS, COUNT), PARTS)
        found = await differences(cases(database, made, wishes, seeds, is_faulty=True), "loaders")
        assert not found, f"{len(found)} differ; the first:\n{found[0]}"
