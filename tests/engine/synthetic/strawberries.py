"""A schema of Strawberry's: fields that load, are computed or guarded, extensions of fields, permission classes."""

import asyncio
import dataclasses
import enum
from collections.abc import Awaitable, Mapping, Sequence
from typing import Annotated, Any

import strawberry
from graphql import GraphQLSchema
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from engine.loading import Argument, computed, loads, same_row
from tests.engine.synthetic.leaves import Broken
from tests.engine.synthetic.world import mixed

PARTS, OWNER, LABELS, MAKER = "parts", "owner", "labels", "maker"
"""Relations."""


@dataclasses.dataclass(slots=True)
class Shelf:
    """A context: reads relations, and takes note of how.

    Attributes:
        seed: Other seeds, other rows.
        faults: How many of a hundred batches fail.
        may: Whether permissions are given.
        batches: Relation, keys and arguments of each batch.
        singles: The same for each read of an object.
    """

    seed: int
    faults: int = 0
    may: bool = True
    batches: list[tuple[str, tuple[Any, ...], str]] = dataclasses.field(default_factory=list)
    singles: list[tuple[str, Any, str]] = dataclasses.field(default_factory=list)
    carried: dict[str, Any] = dataclasses.field(default_factory=dict)

    def load(self, relation: Any, key: Any, root: str, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        del root
        self.singles.append((relation, key, repr(arguments)))

        async def one() -> Any:
            await asyncio.sleep(0)
            return self._read(relation, key, arguments)

        return one()

    def load_list(
        self, relation: Any, keys: Sequence[Any], root: str, arguments: Mapping[str, Any], *, alone: bool = False
    ) -> Awaitable[list[Any]]:
        del root, alone
        self.batches.append((relation, tuple(keys), repr(arguments)))

        async def several() -> list[Any]:
            await asyncio.sleep(0)
            return [None if key is None else self._read(relation, key, arguments) for key in keys]

        return several()

    def reads_no_more_than(self, relation: Any) -> None:
        """Take no note: nothing here is read in transactions."""

    def _read(self, relation: str, key: Any, arguments: Mapping[str, Any]) -> Any:
        if mixed(self.seed, relation, sorted(arguments.items())) % 100 < self.faults:
            raise Broken(f"no {relation}")
        seed = mixed(self.seed, relation, key, sorted(arguments.items()))
        if relation == PARTS:
            return [part(mixed(seed, number) * 2) for number in range(min(seed % 4, arguments["first"]))]
        if relation == LABELS:
            return [f"label {seed % 7}"] * (seed % 3)
        return None if seed % 6 == 0 else part(seed * 2)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What types show."""

    id: int
    name: str | None
    kind: str
    owner_id: int | None
    colour: Any
    weight: float | None


def part(seed: int) -> Row:
    """Return a row that depends on a seed, a part where that is even."""
    owner = None if seed % 5 == 0 else seed % 1000
    name = None if seed % 7 == 0 else f"n{seed % 100}"
    return Row(
        seed, name, ("Part", "Tool")[seed % 2], owner, tuple(Colour)[seed % 2], None if seed % 3 else seed % 9 / 4
    )


@strawberry.enum
class Colour(enum.Enum):
    """Colours whose values are not their names."""

    RED = "r"
    GREEN = "g"


class MayAsk(BasePermission):
    """A permission that is asked at each object."""

    message = "You may not ask."

    async def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        del source, kwargs
        return bool(info.context.may)


class Shouting(FieldExtension):
    """Changes what the resolver returns."""

    def resolve(self, next_: Any, source: Any, info: Any, **kwargs: Any) -> Any:
        found = next_(source, info, **kwargs)
        return None if found is None else found.upper()


class Doubling(FieldExtension):
    """The same for resolvers that are waited for."""

    async def resolve_async(self, next_: Any, source: Any, info: Any, **kwargs: Any) -> Any:
        return 2 * await next_(source, info, **kwargs)


@strawberry.interface
class Item:
    """Something with an id."""

    id: int
    name: str | None

    @classmethod
    def is_type_of(cls, row: Any, _info: Any) -> bool:
        return getattr(row, "kind", "") == cls.__name__


@strawberry.type
class Part(Item):
    """A type with a field of each kind."""

    colour: Colour
    weight: float | None
    title: str = computed(lambda name: f"<{name}>", "name")
    itself: "Part | None" = same_row(absent="name")
    parts: list[Annotated["Part", strawberry.lazy("tests.engine.synthetic.strawberries")] | None] = loads(
        PARTS, arguments={"first": Argument(int, 3)}
    )
    owner: Annotated["Part", strawberry.lazy("tests.engine.synthetic.strawberries")] | None = loads(
        OWNER, key="owner_id"
    )
    labels: list[str] = loads(LABELS)

    @strawberry.field(extensions=[Shouting()])
    def loud(self) -> str | None:
        return self.name

    @strawberry.field(extensions=[Doubling()])
    async def double(self, plus: int = 1) -> int:
        await asyncio.sleep(0)
        return self.id % 10 + plus

    @strawberry.field(permission_classes=[MayAsk])
    def secret(self) -> str | None:
        return "secret"

    @strawberry.field
    async def sibling(self, info: strawberry.Info, colour: Colour = Colour.RED) -> "Part | None":
        return part(mixed(self.id, colour.name, len(info.path)) | 1)  # type: ignore[return-value]


@strawberry.type
class Tool(Item):
    """Another item."""

    weight: float | None


@strawberry.input
class Wanted:
    """An input that becomes an object."""

    count: int = 2
    colours: list[Colour] = strawberry.field(default_factory=lambda: [Colour.GREEN])


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def items(self, info: strawberry.Info, wanted: Wanted | None = None) -> list[Item]:
        count = (wanted or Wanted()).count % 5
        return [part(mixed(info.context.seed, number)) for number in range(count)]  # type: ignore[misc]

    @strawberry.field
    async def part(self, info: strawberry.Info) -> Part:
        return part(mixed(info.context.seed) * 2)  # type: ignore[return-value]

    @strawberry.field(permission_classes=[MayAsk])
    def either(self, info: strawberry.Info) -> Part | Tool | None:
        return part(mixed(info.context.seed, "either"))  # type: ignore[return-value]


def build() -> GraphQLSchema:
    """Return the schema as graphql-core has it."""
    return strawberry.Schema(Query, types=[Tool])._schema
