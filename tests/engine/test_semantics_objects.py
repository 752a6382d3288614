"""Object literals with variables inside: what is missing, null, out of order, or not to be read at all."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema

from tests.engine.running import same

SCHEMA = build_schema("""
    enum Colour { RED GREEN }
    input Inner { x: Int = 4, must: Int! = 5, text: String, numbers: [Int], colours: [Colour!] = [RED] }
    input Outer { needed: Int!, colour: Colour = GREEN, inner: Inner, outer: Outer, renamed: Int }
    input One @oneOf { id: ID, name: String }
    type Query { echo(outer: Outer, one: One, plain: Int = 1): String! }
""")
outer = SCHEMA.type_map["Outer"]
assert isinstance(outer, GraphQLInputObjectType)
outer.fields["renamed"].out_name = "new_name"
assert SCHEMA.query_type is not None
SCHEMA.query_type.fields["echo"].resolve = lambda _source, _info, **arguments: repr(sorted(arguments.items()))


@pytest.mark.parametrize("sent", [{}, {"v": None}, {"v": 7}], ids=str)
@pytest.mark.parametrize(
    "literal",
    [
        "{needed: 1, renamed: $v}",
        "{renamed: $v, needed: 1}",
        "{needed: 1, outer: {needed: 2, renamed: $v, colour: RED}, colour: null}",
        "{needed: 1, inner: {x: $v}}",
        "{needed: 1, inner: {must: $v}}",
        "{needed: 1, inner: {numbers: [$v, 1], colours: []}}",
        "{needed: 1, inner: {x: $v, colours: []}}",
        "{needed: 1, inner: null, renamed: $v}",
    ],
)
@pytest.mark.parametrize("declared", ["Int", "Int = 8", "Int! = 8"])
async def test_variables_in_objects(declared: str, literal: str, sent: dict[str, Any]):
    text = f"query($v: {declared}) {{ echo(outer: {literal}, plain: $v) }}"
    first = await same(SCHEMA, text, sent)

    assert first.errors or "outer" in first.data["echo"]


@pytest.mark.parametrize("sent", [{}, {"v": None}, {"v": 7}], ids=str)
@pytest.mark.parametrize(
    "literal",
    ["{needed: $v}", "{needed: $v, outer: {needed: 2}}", "{needed: 1, outer: {needed: 2, outer: {needed: $v}}}"],
)
@pytest.mark.parametrize("declared", ["Int = 8", "Int! = 8", "Int!"])
async def test_variables_for_what_an_object_must_have(declared: str, literal: str, sent: dict[str, Any]):
    await same(SCHEMA, f"query($v: {declared}) {{ echo(outer: {literal}) }}", sent)


@pytest.mark.parametrize("sent", [{}, {"v": None}, {"v": "a"}], ids=str)
async def test_a_variable_in_an_object_of_one(sent: dict[str, Any]):
    await same(SCHEMA, "query($v: String!) { echo(one: {name: $v}) }", sent)


async def test_the_fields_of_an_object_keep_their_order():
    result = await same(SCHEMA, "query($v: Int) { echo(outer: {renamed: $v, inner: {}, needed: 2}) }", {"v": 1})

    assert result.data["echo"].index("'needed'") < result.data["echo"].index("'inner'")
    assert result.data["echo"].index("'inner'") < result.data["echo"].index("'new_name'")
