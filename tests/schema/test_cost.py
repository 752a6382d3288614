"""Prices stand on the schema and in its text, and no list is without a bound."""

import re
from pathlib import Path

import pytest
import strawberry
from graphql import build_schema, parse, print_schema

from engine.price_schema import Tariff, unbounded
from schema import cost
from schema.build import build
from schema.cost import Bound, Cost, ListSize, at_most, costs, sliced
from schema.printing import printed

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


def test_a_list_of_objects_without_a_bound_stops_the_start():
    @strawberry.type
    class Page:
        lines: list[str]

    @strawberry.type
    class Query:
        page: Page
        pages: list[Page]

    with pytest.raises(LookupError, match=re.escape("Query.pages is a list without a bound: declare it by loads_list")):
        cost.apply(strawberry.Schema(Query)._schema)


def test_a_list_with_a_bound_does_not():
    @strawberry.type
    class Page:
        lines: list[str]

    @strawberry.type
    class Query:
        pages: list[Page] = strawberry.field(directives=at_most(7))

    schema = strawberry.Schema(Query)._schema
    cost.apply(schema)
    size = Tariff(schema).size(schema.query_type.fields["pages"])
    assert size is not None
    assert (size.assumed, size.at_most) == (7, 7)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("c: C", ["C.nodes"]),
        ('c: C @listSize(assumedSize: 3, sizedFields: ["nodes"])', []),
        ('c: C @listSize(assumedSize: 3, sizedFields: ["edges"])', ["C.nodes"]),
        ('c: C @listSize(assumedSize: 3, sizedFields: ["nodes"]) other: C', ["C.nodes"]),
        ('c: C @listSize(assumedSize: 3, sizedFields: ["nodes"]) open: I', ["C.nodes"]),
        ('c: C @listSize(assumedSize: 3, sizedFields: ["nodes"]) all: [Query!]! @bound(atMost: 2)', []),
        ("leaves: [[Int!]]!", ["C.nodes"]),
        ("all: [[Query]]", ["Query.all", "C.nodes"]),
    ],
)
def test_a_list_is_bounded_by_its_field_or_by_all_that_lead_to_it(fields, expected):
    schema = build_schema(f"""
        directive @listSize(assumedSize: Int, sizedFields: [String!]) on FIELD_DEFINITION
        directive @bound(atMost: Int!) on FIELD_DEFINITION
        type Query {{ {fields} }}
        interface I {{ x: Int }}
        type C implements I {{ x: Int nodes: [Query!]! }}
    """)
    assert sorted(unbounded(schema)) == sorted(expected)


def test_every_list_of_the_served_schema_has_a_bound():
    assert unbounded(build()) == []


def test_the_text_tells_all_that_the_schema_knows():
    ours, read = build(), build_schema(printed(build()))
    by_code, by_text = Tariff(ours), Tariff(read)
    compared = 0
    for name, kind in ours.type_map.items():
        if name.startswith("__") or not hasattr(kind, "fields"):
            continue
        assert by_code.weight(kind) == by_text.weight(read.type_map[name]), name
        for field_name, field in kind.fields.items():
            other = read.type_map[name].fields[field_name]
            assert by_code.weight(field) == by_text.weight(other), f"{name}.{field_name}"
            assert by_code.size(field) == by_text.size(other), f"{name}.{field_name}"
            compared += by_code.size(field) is not None
    assert compared > 30


def test_but_for_its_directives_the_text_is_what_the_library_prints():
    schema = build()
    text = printed(schema)
    parse(text)
    uses = re.compile(r" @(?:cost|listSize|bound)\([^)]*\)")
    lines = [line if line.startswith("directive") else uses.sub("", line) for line in text.splitlines()]
    assert lines == print_schema(schema).splitlines()
    assert SDL.read_text(encoding="utf-8").rstrip("\n") == text.rstrip("\n")


def test_prices_are_put_on_fields_that_are_declared_otherwise():
    field = costs(Cost(weight="3"), *sliced(2, 9))(strawberry.field(resolver=lambda: 1))
    assert [type(each) for each in field.directives] == [Cost, ListSize, Bound]
