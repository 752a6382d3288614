"""Arguments and variables: constants, look-ups, defaults, coercion, and what is wrong with them."""

import enum
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLError, GraphQLInputObjectType, GraphQLScalarType, build_schema

from engine import graphql
from tests.engine.running import errors_of, run, same

SCHEMA = build_schema("""
    scalar Odd
    enum Colour { RED GREEN }
    input Box { colour: Colour! = GREEN, sizes: [Int!], inner: Box, renamed: Int = 7 }
    input One @oneOf { id: ID, name: String }
    type Query {
        echo(
            int: Int = 1, must: Int! = 2, text: String, colour: Colour = RED, list: [Int!], grid: [[Int]]
            box: Box = {sizes: 3}, one: One, odd: Odd, float: Float, id: ID, flag: Boolean
        ): String!
        needs(n: Int!): String
        inner: Query
    }
""")


class Colour(enum.Enum):
    RED = "r"


def echo(_source: Any, _info: Any, **arguments: Any) -> str:
    return repr(sorted(arguments.items()))


def odd(value: Any) -> Any:
    if value == 2:
        raise GraphQLError("2 is not odd.", extensions={"code": "EVEN"})
    return ("odd", value)


box, colour, scalar = (SCHEMA.type_map[name] for name in ("Box", "Colour", "Odd"))
assert isinstance(box, GraphQLInputObjectType)
assert isinstance(colour, GraphQLEnumType)
assert isinstance(scalar, GraphQLScalarType)
box.fields["renamed"].out_name = "new_name"
box.out_type = lambda values: ("box", values)  # type: ignore[method-assign]
colour.values["RED"].value = Colour.RED
scalar.coerce_input_value = odd  # type: ignore[method-assign]
assert SCHEMA.query_type is not None
SCHEMA.query_type.fields["echo"].resolve = echo
SCHEMA.query_type.fields["needs"].resolve = echo
SCHEMA.query_type.fields["inner"].resolve = lambda *_: {}


async def echoed(text: str, variables: dict[str, Any] | None = None) -> str:
    return (await same(SCHEMA, text, variables)).data["echo"]


DEFAULTS = {"int": 1, "must": 2, "colour": Colour.RED, "box": ("box", {"colour": "GREEN", "sizes": [3], "new_name": 7})}


def with_defaults(**given: Any) -> str:
    return repr(sorted({**DEFAULTS, **given}.items()))


async def test_defaults_hold_where_nothing_is_given():
    assert await echoed("{ echo }") == with_defaults()


@pytest.mark.parametrize(
    ("literal", "given"),
    [
        ("int: 5", {"int": 5}),
        ("int: null", {"int": None}),
        ('text: "a\\u00e9{}"', {"text": "aé{}"}),
        ('text: """\n  block\n"""', {"text": "block"}),
        ("colour: GREEN", {"colour": "GREEN"}),
        ("list: 4", {"list": [4]}),
        ("list: []", {"list": []}),
        ("grid: [[1, null], null, 2]", {"grid": [[1, None], None, [2]]}),
        ("box: {}", {"box": ("box", {"colour": "GREEN", "new_name": 7})}),
        ("box: {colour: RED, renamed: null}", {"box": ("box", {"colour": Colour.RED, "new_name": None})}),
        ('one: {name: "x"}', {"one": {"name": "x"}}),
        ("odd: 3", {"odd": ("odd", 3)}),
        ("float: 1", {"float": 1.0}),
        ("id: 5", {"id": "5"}),
        ("flag: true", {"flag": True}),
    ],
)
async def test_literals(literal: str, given: dict[str, Any]):
    assert await echoed(f"{{ echo({literal}) }}") == with_defaults(**given)


@pytest.mark.parametrize(
    ("declared", "argument", "sent", "given"),
    [
        ("Int", "int", {"v": 5}, {"int": 5}),
        ("Int", "int", {"v": None}, {"int": None}),
        ("Int", "int", {}, {}),
        ("Int = 9", "int", {}, {"int": 9}),
        ("Int = 9", "int", {"v": None}, {"int": None}),
        ("Int! = 9", "must", {}, {"must": 9}),
        ("Int", "must", {}, {}),
        ("Float", "float", {"v": 3}, {"float": 3.0}),
        ("ID", "id", {"v": 3}, {"id": "3"}),
        ("[Int!]", "list", {"v": 3}, {"list": [3]}),
        ("[[Int]]", "grid", {"v": [1, [2, None]]}, {"grid": [[1], [2, None]]}),
        ("Colour", "colour", {"v": "RED"}, {"colour": Colour.RED}),
        (
            "Box",
            "box",
            {"v": {"inner": {}}},
            {"box": ("box", {"colour": "GREEN", "inner": ("box", {"colour": "GREEN", "new_name": 7}), "new_name": 7})},
        ),
        ("One", "one", {"v": {"id": 1}}, {"one": {"id": "1"}}),
        ("Odd", "odd", {"v": [1]}, {"odd": ("odd", [1])}),
    ],
)
async def test_variables(declared: str, argument: str, sent: dict[str, Any], given: dict[str, Any]):
    text = f"query($v: {declared}) {{ echo({argument}: $v) }}"
    assert await echoed(text, sent) == with_defaults(**given)


async def test_variables_within_lists_and_objects():
    text = "query($a: Int, $b: Colour!, $c: Int) { echo(grid: [[$a, 1], [$c]], box: {colour: $b, renamed: $c}) }"
    expected = with_defaults(grid=[[5, 1], [None]], box=("box", {"colour": Colour.RED, "new_name": 7}))
    assert await echoed(text, {"a": 5, "b": "RED"}) == expected


async def test_the_same_plan_serves_other_values():
    text = "query($n: Int) { echo(int: $n) }"
    for number in (1, 2, None):
        assert await echoed(text, {"n": number}) == with_defaults(int=number)


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("Int!", {}),
        ("Int!", {"v": None}),
        ("Int! = 1", {"v": None}),
        ("Int", {"v": "x"}),
        ("Int", {"v": 2**31}),
        ("Int", {"v": True}),
        ("Int", {"v": 1.5}),
    ],
)
async def test_variables_that_cannot_be_read_stop_everything(declared: str, sent: dict[str, Any]):
    result = await same(SCHEMA, f"query($v: {declared}) {{ echo(int: $v) }}", sent)
    assert result.data is None
    assert [error.path for error in result.errors] == [None]


@pytest.mark.parametrize(
    ("declared", "argument", "sent"),
    [
        ("String", "text", 1),
        ("Boolean", "flag", 1),
        ("ID", "id", 1.5),
        ("Float", "float", "1"),
        ("Colour", "colour", "BLUE"),
        ("Box", "box", {"colour": None}),
        ("Box", "box", {"unknown": 1}),
        ("One", "one", {"id": 1, "name": "x"}),
        ("One", "one", {}),
        ("Odd", "odd", 2),
        ("[Int!]", "list", [1, None]),
    ],
)
async def test_each_type_says_what_is_wrong(declared: str, argument: str, sent: Any):
    result = await same(SCHEMA, f"query($v: {declared}) {{ echo({argument}: $v) }}", {"v": sent})
    assert (result.data, len(result.errors)) == (None, 1)


async def test_a_null_where_a_default_was_is_the_field_s_own_error():
    result = await same(SCHEMA, "query($n: Int) { inner { needs(n: 1) } echo(must: $n) }", {"n": None})
    assert errors_of(result)[0][0] == ["echo"]
    assert result.data is None


async def test_arguments_are_not_shared_between_objects():
    def spoil(_source: Any, _info: Any, **arguments: Any) -> str:
        told = repr(arguments["list"])
        arguments["list"].append(9)
        return told

    schema = build_schema("type Query { rows: [Row!]! } type Row { spoil(list: [Int!] = [1]): String }")
    schema.type_map["Row"].fields["spoil"].resolve = spoil
    text = "{ rows { a: spoil(list: [1]) } }"
    for _ in range(2):
        result = await run(schema, text, root={"rows": [{}]})
        assert result.data == {"rows": [{"a": "[1]"}]}


LISTS = ("[ID]", "[ID!]", "[ID!]!", "[Int!]", "[String]")


@pytest.mark.parametrize("type_", LISTS)
@pytest.mark.parametrize("value", [["a", "b"], [], None, ["a", None], "a", [1, 2], [["a"]], [2**31], {"a": 1}, [True]])
async def test_lists_in_variables_are_coerced_as_by_the_library(type_, value):
    schema = build_schema(f"type Query {{ echo(list: {type_}): String }}")
    schema.query_type.fields["echo"].resolve = lambda _source, _info, **given: repr(given)
    source = f"query ($list: {type_}) {{ echo(list: $list) }}"
    results = [
        await graphql(schema, source, variable_values={"list": value}, executor=executor)
        for executor in ("reference", "compiled")
    ]
    assert repr(results[0].formatted) == repr(results[1].formatted)
