"""What is selected: fragments, directives, merged fields, types behind interfaces and unions."""

import itertools
from typing import Any

import pytest
from graphql import build_schema

from engine import graphql
from tests.engine.running import Left, run, same

SDL = """
    interface Animal { name: String, friend: Animal }
    interface Pet implements Animal { name: String, friend: Animal, owner: String }
    type Dog implements Pet & Animal { name: String, friend: Animal, owner: String, barks: Boolean }
    type Cat implements Pet & Animal { name: String, friend: Animal, owner: String, meows: Boolean }
    type Cow implements Animal { name: String, friend: Animal }
    union Any = Dog | Cow
    type Query { dog: Dog, animals: [Animal], any: [Any!]!, query: Query, a: Int, b: Int, c: Int }
"""
SCHEMA = build_schema(SDL)

DOG = {"__typename": "Dog", "name": "Rex", "owner": "Ada", "barks": True}
CAT = {"__typename": "Cat", "name": "Tom", "owner": "Bob", "meows": False, "friend": DOG}
COW = {"__typename": "Cow", "name": "Elsa", "friend": CAT}
ROOT: dict[str, Any] = {
    "dog": DOG,
    "animals": [DOG, COW, None, CAT, DOG],
    "any": [COW, DOG, COW],
    "a": 1,
    "b": 2,
    "c": 3,
}
ROOT["query"] = ROOT


async def test_typename_stands_everywhere():
    text = "{ __typename t: __typename dog { __typename x: __typename } animals { __typename } any { __typename } }"
    assert (await same(SCHEMA, text, root=ROOT)).data == {
        "__typename": "Query",
        "t": "Query",
        "dog": {"__typename": "Dog", "x": "Dog"},
        "animals": [
            *({"__typename": name} for name in ("Dog", "Cow")),
            None,
            {"__typename": "Cat"},
            {"__typename": "Dog"},
        ],
        "any": [{"__typename": "Cow"}, {"__typename": "Dog"}, {"__typename": "Cow"}],
    }


async def test_abstract_types_have_a_selection_each_and_keep_their_order():
    text = "{ animals { name ... on Dog { barks } ... on Pet { owner } ... on Cat { meows } friend { name } } }"
    assert (await same(SCHEMA, text, root=ROOT)).data["animals"] == [
        {"name": "Rex", "barks": True, "owner": "Ada", "friend": None},
        {"name": "Elsa", "friend": {"name": "Tom"}},
        None,
        {"name": "Tom", "owner": "Bob", "meows": False, "friend": {"name": "Rex"}},
        {"name": "Rex", "barks": True, "owner": "Ada", "friend": None},
    ]


@pytest.mark.parametrize("tells", ["resolve_type", "resolve_type later", "is_type_of", "is_type_of later"])
async def test_types_are_told_in_every_way(tells: str):
    schema, names = build_schema(SDL), ("Dog", "Cat", "Cow")

    async def later(value: Any, *_: Any) -> str:
        return value["kind"]

    for abstract in ("Animal", "Any"):
        if tells.startswith("resolve_type"):
            schema.type_map[abstract].resolve_type = (
                later if tells.endswith("later") else lambda value, *_: value["kind"]
            )
    for name in names if tells.startswith("is_type_of") else ():

        async def is_it_later(value: Any, *_: Any, name: str = name) -> bool:
            return value["kind"] == name

        def is_it(value: Any, *_: Any, name: str = name) -> bool:
            return value["kind"] == name

        schema.type_map[name].is_type_of = is_it_later if tells.endswith("later") else is_it
    root = {"animals": [{"kind": "Cow", "name": "Elsa"}, {"kind": "Dog", "name": "Rex"}], "any": [{"kind": "Dog"}]}
    result = await same(schema, "{ animals { name __typename } any { __typename } }", root=root)
    assert result.data["animals"] == [{"name": "Elsa", "__typename": "Cow"}, {"name": "Rex", "__typename": "Dog"}]


async def test_a_value_of_no_possible_type_is_an_error_at_its_place():
    root = {"animals": [DOG, {"__typename": "Query"}, {"__typename": "Nothing"}, {"name": "?"}, COW]}
    result = await same(SCHEMA, "{ animals { name } }", root=root)
    assert [each.path for each in result.errors] == [["animals", 1], ["animals", 2], ["animals", 3]]
    assert result.data == {"animals": [{"name": "Rex"}, None, None, None, {"name": "Elsa"}]}


async def test_fields_of_one_key_are_merged():
    text = """{
        dog { name } ...One a
        animals { ... on Dog { friend { name } } friend { friend { name } __typename } }
    }
    fragment One on Query { dog { ...Two barks } a }
    fragment Two on Dog { owner name }"""
    result = await same(SCHEMA, text, root=ROOT)
    assert list(result.data["dog"]) == ["name", "owner", "barks"]
    assert result.data["animals"][1] == {"friend": {"friend": {"name": "Rex"}, "__typename": "Cat"}}


async def test_keys_come_in_the_order_of_the_document():
    text = "{ c ...F a query { b ... { c } a } } fragment F on Query { b a query { c } }"
    result = await same(SCHEMA, text, root=ROOT)
    assert list(result.data) == ["c", "b", "a", "query"]
    assert list(result.data["query"]) == ["c", "b", "a"]


@pytest.mark.parametrize("switches", list(itertools.product((True, False), repeat=2)))
async def test_skip_and_include_on_fields_spreads_and_inline_fragments(switches: tuple[bool, bool]):
    first, second = switches
    text = """query($x: Boolean!, $y: Boolean!) {
        a @skip(if: $x)  b @include(if: $x)  c @skip(if: $x) @include(if: $y)
        ...F @skip(if: $y)
        ... @include(if: $y) { y: a }
        ... on Query @skip(if: true) { never: a }
        always: a @include(if: true)
    }
    fragment F on Query { query @include(if: $x) { a } z: b }"""
    result = await same(SCHEMA, text, {"x": first, "y": second}, root=ROOT)
    asked = {"a": not first, "b": first, "c": not first and second, "query": first and not second, "z": not second}
    assert set(result.data) == {key for key, is_asked in asked.items() if is_asked} | {"always"} | (
        {"y"} if second else set()
    )


async def test_one_document_answers_for_all_values_of_its_switches():
    text = "query($x: Boolean!) { a @skip(if: $x) b @include(if: $x) }"
    for value in (True, False, True, False):
        result = await graphql(SCHEMA, text, root_value=ROOT, variable_values={"x": value})
        assert result.data == ({"b": 2} if value else {"a": 1})


async def test_plans_of_a_document_are_bounded():
    names = [f"v{number}" for number in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    text = f"query({declared}) {{ {' '.join(f'{name}: a @skip(if: ${name})' for name in names)} }}"
    for number in range(64):
        values = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        result = await graphql(SCHEMA, text, root_value=ROOT, variable_values=values)
        assert result.data == {name: 1 for name, is_skipped in values.items() if not is_skipped}


async def test_objects_within_objects_of_their_own_type():
    depth = 40
    text = "{ " + "query { a " * depth + "b" + " }" * depth + " }"
    data = (await same(SCHEMA, text, root=ROOT)).data
    for _ in range(depth):
        data = data["query"]
    assert data == {"a": 1, "b": 2}


async def test_introspection_is_left_to_graphql_core():
    text = "{ a __schema { queryType { name } } }"
    assert (await graphql(SCHEMA, text, root_value=ROOT)).data == {"a": 1, "__schema": {"queryType": {"name": "Query"}}}
    with pytest.raises(Left):
        await run(SCHEMA, text, root=ROOT)


async def test_what_is_skipped_altogether_answers_nothing():
    assert (await same(SCHEMA, "{ a @skip(if: true) query { a @skip(if: true) } }", root=ROOT)).data == {"query": {}}
