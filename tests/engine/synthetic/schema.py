"""The synthetic schema: its types, with resolvers, serialisers and ways to tell types apart."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    assert_valid_schema,
    build_schema,
)

from tests.engine.synthetic.definition import SDL
from tests.engine.synthetic.leaves import LEAVES, Broken
from tests.engine.synthetic.world import Entries, Thing, World, late, mixed, value_of


def build() -> GraphQLSchema:
    """Return a schema with every feature of the type system."""
    schema = build_schema(SDL)
    _set_leaves(schema)
    _set_types(schema)
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and each.ast_node is not None:
            _set_resolvers(each)
    for name in ("add", "addSlowly", "addAtOnce", "total"):
        schema.mutation_type.fields[name].resolve = _added_at_once if name == "addAtOnce" else _added  # type: ignore[union-attr]
    filtered = schema.type_map["Filter"]
    assert isinstance(filtered, GraphQLInputObjectType)
    filtered.fields["oldName"].out_name = "old_name"
    strict = schema.type_map["Strict"]
    assert isinstance(strict, GraphQLInputObjectType)
    strict.out_type = staticmethod(lambda values: ("strict", values))  # type: ignore[method-assign, assignment]
    _rename_argument(schema.query_type.fields["echo"].args["json"])  # type: ignore[union-attr]
    assert_valid_schema(schema)
    return schema


def _rename_argument(argument: GraphQLArgument) -> None:
    argument.out_name = "any_json"


def _set_leaves(schema: GraphQLSchema) -> None:
    money, json, colour = (schema.type_map[name] for name in ("Money", "Json", "Colour"))
    assert isinstance(money, GraphQLScalarType)
    assert isinstance(json, GraphQLScalarType)
    assert isinstance(colour, GraphQLEnumType)
    money.coerce_output_value = _show_money
    money.coerce_input_value = _read_money
    json.coerce_output_value = lambda value: value
    for name, value in zip(colour.values, LEAVES["Colour"], strict=True):
        colour.values[name].value = value
    schema.type_map["Colour"] = colour


def _show_money(value: Any) -> str | None:
    if value == -1:
        raise ValueError("less than nothing")
    if value == -2:
        raise GraphQLError("no money", extensions={"code": "BROKE"})
    return None if value == -3 else f"{value:.2f}"


def _read_money(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise GraphQLError("Write money as a text.")
    return Decimal(value)


def _set_types(schema: GraphQLSchema) -> None:
    """Tell types apart in every way that there is; where nothing is set, by the default."""
    node, being, found = (schema.type_map[name] for name in ("Node", "Being", "Found"))
    place, gadget = schema.type_map["Place"], schema.type_map["Gadget"]
    assert isinstance(node, GraphQLInterfaceType)
    assert isinstance(being, GraphQLInterfaceType)
    assert isinstance(found, GraphQLUnionType)
    assert isinstance(place, GraphQLObjectType)
    assert isinstance(gadget, GraphQLObjectType)
    node.resolve_type = lambda value, _info, _type: type_name(value)
    being.resolve_type = _type_name_soon
    found.resolve_type = _type_name_later
    place.is_type_of = lambda value, _info: type_name(value) == "Place"
    gadget.is_type_of = _is_gadget
    person, robot = schema.type_map["Person"], schema.type_map["Robot"]
    assert isinstance(person, GraphQLObjectType)
    assert isinstance(robot, GraphQLObjectType)
    person.is_type_of = lambda value, _info: type_name(value) == "Person"
    robot.is_type_of = lambda value, _info: isinstance(value, dict) and value.get("__typename") == "Robot"


def type_name(value: Any) -> Any:
    """Return what type a value says that it has."""
    if isinstance(value, Thing):
        return value.type_name
    return value.get("__typename") if isinstance(value, dict | Entries) else None


async def _type_name_soon(value: Any, _info: Any, _type: Any) -> Any:
    return type_name(value)


async def _type_name_later(value: Any, _info: Any, _type: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, dict) and value.get("__typename") == "Wallet":
        raise Broken("the type cannot be told")
    return type_name(value)


async def _is_gadget(value: Any, _info: Any) -> bool:
    await asyncio.sleep(0)
    return bool(type_name(value) == "Gadget")


def _set_resolvers(object_type: GraphQLObjectType) -> None:
    for field in object_type.fields.values():
        for directive in (field.ast_node and field.ast_node.directives) or ():
            if directive.name.value == "by":
                field.resolve = _RESOLVERS[directive.arguments[0].value.value]


def _seed(source: Any, info: Any, arguments: dict[str, Any]) -> int:
    """Return the seed of a field: another one for each parent and each set of arguments."""
    if isinstance(source, Entries):
        source = source.thing
    own = source.seed if isinstance(source, Thing) else source.get("__seed") if isinstance(source, dict) else 0
    if own is None or info.path.prev is None:
        own = _world(info).seed
    return mixed(own, info.field_name, sorted(arguments.items()))


def _world(info: Any) -> World:
    world: World = info.context
    if info.field_name == "total":
        world.log.append("total")
    return world


def _sync(source: Any, info: Any, **arguments: Any) -> Any:
    return value_of(_world(info), info.return_type, _seed(source, info, arguments))


async def _async(source: Any, info: Any, **arguments: Any) -> Any:
    return value_of(_world(info), info.return_type, _seed(source, info, arguments))


async def _late(source: Any, info: Any, **arguments: Any) -> Any:
    return await late(_world(info), info.return_type, _seed(source, info, arguments))


def _future(source: Any, info: Any, **arguments: Any) -> Awaitable[Any]:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    try:
        loop.call_soon(_settle, future, value_of(_world(info), info.return_type, _seed(source, info, arguments)))
    except (Broken, GraphQLError) as error:
        future.set_exception(error)
    return future


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _echo(_source: Any, info: Any, **arguments: Any) -> Any:
    """Return what the field was called with, as Python has it, and where."""
    return repr((info.path.as_list(), info.parent_type.name, len(info.field_nodes), sorted(arguments.items())))


async def _added(_source: Any, info: Any, n: int | None = None) -> Any:
    """Take note of the start and the end, so that overlapping fields are seen."""
    world, name = _world(info), info.path.key
    world.log.append(f"{name} starts")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    world.log.append(f"{name} ends with {n}")
    return value_of(world, info.return_type, mixed(world.seed, str(name), n))


def _added_at_once(_source: Any, info: Any, n: int | None = None) -> Any:
    world = _world(info)
    world.log.append(f"{info.path.key} at once with {n}")
    return value_of(world, info.return_type, mixed(world.seed, str(info.path.key), n))


_RESOLVERS: dict[str, Any] = {"SYNC": _sync, "ASYNC": _async, "LATE": _late, "FUTURE": _future, "ECHO": _echo}
