"""Values of the synthetic schema, each a function of a seed, and the faults that befall them."""

import asyncio
import dataclasses
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
)

from tests.engine.synthetic.leaves import LEAVES, WRONG_LEAVES, Broken, Oddity

CONTAINERS = {"Robot": "dict", "Gadget": "mapping", "Wallet": "dataclass"}
"""What stands for an object; everything else is an object with attributes that are computed when they are read."""


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """Where the values of one operation come from.

    Attributes:
        schema: Whose types they have.
        seed: Other seeds, other values and other faults.
        faults: How many of a thousand positions are faulty.
        log: What mutations did, in order.
    """

    schema: GraphQLSchema
    seed: int
    faults: int = 0
    log: list[str] = dataclasses.field(default_factory=list)

    def fault(self, seed: int) -> int | None:
        """Return what befalls the position with this seed, if anything does."""
        number = mixed(self.seed, seed, "fault")
        return number // 1000 if number % 1000 < self.faults else None


def mixed(*parts: Any) -> int:
    """Return a number that depends on all of these, and is the same in each process."""
    return zlib.crc32(repr(parts).encode())


@dataclasses.dataclass(frozen=True, slots=True)
class Thing:
    """An object whose fields are computed when they are read."""

    world: World
    type_name: str
    seed: int

    def __getattr__(self, name: str) -> Any:
        fields = self.world.schema.type_map[self.type_name].fields  # type: ignore[attr-defined]
        if name not in fields:
            raise AttributeError(name)
        return field_value(self.world, self.type_name, self.seed, name)

    def __repr__(self) -> str:
        return f"{self.type_name} {self.seed}"


class Entries(Mapping[str, Any]):
    """A mapping that is not a dict."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing

    def __getitem__(self, name: str) -> Any:
        if name == "__typename":
            return self.thing.type_name
        return getattr(self.thing, name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name == "__typename" else getattr(self.thing, name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return repr(self.thing)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Purse:
    """An object with plain attributes, and without one that the schema has."""

    amount: Any
    currency: Any
    cards: Any
    note: Any

    def __repr__(self) -> str:
        return "a purse"


def field_value(world: World, type_name: str, seed: int, name: str) -> Any:
    """Return what a field of an object is: its value, or something to call or to wait for."""
    declared = world.schema.type_map[type_name].fields[name].type  # type: ignore[attr-defined]
    child = mixed(seed, name)
    if world.schema.type_map[type_name].fields[name].args:  # type: ignore[attr-defined]
        return lambda info, **arguments: called(world, declared, info, mixed(child, sorted(arguments.items())))
    if child % 5 == 0:
        return lambda info: called(world, declared, info, child)
    if child % 5 == 1:
        return late(world, declared, child)
    return value_of(world, declared, child)


def called(world: World, declared: GraphQLOutputType, info: Any, seed: int) -> Any:
    """Return the value of a field that is called, at once or later, depending on where it stands."""
    seed = mixed(seed, info.field_name)
    return late(world, declared, seed) if seed % 2 else value_of(world, declared, seed)


async def late(world: World, declared: GraphQLOutputType, seed: int) -> Any:
    """Return a value after a few turns of the event loop."""
    for _ in range(seed % 4):
        await asyncio.sleep(0)
    return value_of(world, declared, seed)


def value_of(world: World, declared: GraphQLOutputType, seed: int) -> Any:
    """Return a value of a type, null where that may be, or what a fault makes of it.

    Raises:
        Broken: By a fault.
        GraphQLError: By a fault.
    """
    fault = world.fault(seed)
    if fault is not None:
        return _FAULTS[fault % len(_FAULTS)](world, declared, seed)
    if isinstance(declared, GraphQLNonNull):
        return _solid(world, declared.of_type, seed)
    return None if seed % 7 == 0 else _solid(world, declared, seed)


def _solid(world: World, declared: Any, seed: int) -> Any:
    if isinstance(declared, GraphQLList):
        return _listed(world, declared.of_type, seed)
    if is_leaf_type(declared):
        return LEAVES[declared.name][seed % len(LEAVES[declared.name])]
    if is_abstract_type(declared):
        members = world.schema.get_possible_types(declared)
        return object_of(world, members[seed % len(members)].name, seed)
    return object_of(world, declared.name, seed)


def object_of(world: World, type_name: str, seed: int) -> Any:
    """Return an object in the form that its type has."""
    thing = Thing(world, type_name, seed)
    container = CONTAINERS.get(type_name)
    if container == "mapping":
        return Entries(thing)
    fields = world.schema.type_map[type_name].fields  # type: ignore[attr-defined]
    if container == "dict":
        held = {name: _entry(thing, name, field.type) for name, field in fields.items()}
        return {"__typename": type_name, "__seed": seed, **held}
    if container == "dataclass":
        return Purse(*(_entry(thing, field.name, fields[field.name].type) for field in dataclasses.fields(Purse)))
    return thing


def _entry(thing: Thing, name: str, declared: Any) -> Any:
    """Return what lies ready under a name: a leaf, an error as a value, or a function for all that nests or waits."""
    inner = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
    if not is_leaf_type(inner) or mixed(thing.seed, name) % 5 == 1:
        return lambda info, **arguments: called(
            thing.world, declared, info, mixed(thing.seed, name, sorted(arguments.items()))
        )
    try:
        return field_value(thing.world, thing.type_name, thing.seed, name)
    except (Broken, GraphQLError) as error:
        return error


def _listed(world: World, declared: GraphQLOutputType, seed: int) -> Any:
    """Return items in one of the forms that lists may have."""
    seeds = [mixed(seed, index) for index in range(seed % 4)]
    inner: Any = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
    forms = _FORMS[:5] if isinstance(inner, GraphQLList) else _FORMS
    make = forms[mixed(seed) % len(forms)]
    return make(world, declared, seeds)


def _item(world: World, declared: GraphQLOutputType, seed: int) -> Any:
    try:
        return value_of(world, declared, seed)
    except (Broken, GraphQLError) as error:
        return error


def _in_generator(world: World, declared: GraphQLOutputType, seeds: list[int]) -> Iterator[Any]:
    for seed in seeds:
        yield _item(world, declared, seed)
    if seeds and world.fault(sum(seeds)) is not None:
        raise Broken("the list broke off")


async def _in_stream(world: World, declared: GraphQLOutputType, seeds: list[int]) -> AsyncIterator[Any]:
    for seed in seeds:
        await asyncio.sleep(0)
        yield _item(world, declared, seed)
    if seeds and world.fault(sum(seeds)) is not None:
        raise Broken("the stream broke off")


_FORMS: tuple[Callable[[World, GraphQLOutputType, list[int]], Any], ...] = (
    lambda world, declared, seeds: [_item(world, declared, seed) for seed in seeds],
    lambda world, declared, seeds: [_item(world, declared, seed) for seed in seeds],
    lambda world, declared, seeds: tuple(_item(world, declared, seed) for seed in seeds),
    lambda world, declared, seeds: [late(world, declared, seed) for seed in seeds],
    lambda world, declared, seeds: [
        late(world, declared, seed) if seed % 2 else _item(world, declared, seed) for seed in seeds
    ],
    lambda world, declared, seeds: {seed: _item(world, declared, seed) for seed in seeds}.values(),
    _in_generator,
    _in_stream,
)


def _raised(_world: World, _declared: GraphQLOutputType, seed: int) -> Any:
    raise Broken(f"broken {seed % 3}")


def _raised_with_extensions(_world: World, _declared: GraphQLOutputType, seed: int) -> Any:
    raise GraphQLError("refused", extensions={"code": "REFUSED", "number": seed % 3})


def _returned(_world: World, _declared: GraphQLOutputType, seed: int) -> Any:
    return Broken(f"returned {seed % 3}")


def _null(_world: World, _declared: GraphQLOutputType, _seed: int) -> Any:
    return None


def _wrong(world: World, declared: GraphQLOutputType, seed: int) -> Any:
    """Return something of another type than the one that is declared."""
    inner: Any = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
    if isinstance(inner, GraphQLList):
        return (7, "text", Oddity(), {"a": 1})[seed % 4]
    if is_leaf_type(inner):
        pool = WRONG_LEAVES.get(inner.name, (None,))
        return pool[seed % len(pool)]
    if isinstance(inner, GraphQLObjectType):
        return (Oddity(), 5, "text", [], object_of(world, "Person", seed))[seed % 5]
    names = ("Nowhere", "Node", "Colour", "Wallet", None, 5)
    return {"__typename": names[seed % len(names)]}


_FAULTS = (_raised, _raised_with_extensions, _returned, _null, _null, _wrong, _wrong)
