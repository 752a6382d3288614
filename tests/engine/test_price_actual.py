"""What an operation did cost, by its data; and that this is never more than was said before."""

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLResolveInfo,
    OperationType,
    build_schema,
    execute_sync,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import DocumentStore, Operation
from engine.price import OperationPrice
from engine.price_schema import ASSUMED_SIZE, Tariff
from tests.engine.operations import Wishes, Writer
from tests.engine.test_price import SCHEMA, operation

EXAMPLES = int(os.environ.get("GALLERIA_PRICE_EXAMPLES", "300"))
PRINTED = Path(__file__).parents[2] / "schema" / "schema.graphql"
SERVED = build_schema(PRINTED.read_text(encoding="utf-8"))
MOST = 3_000
LENGTHS = [0, 1, 2, 5, 20, 50, 100, 101, -1]
TEXTS = ["", "a", "b"]
VALUES = {
    **dict.fromkeys(("String", "ID", "DateTime", "Decimal", "BigInt", "Date"), TEXTS),
    "Int": LENGTHS,
    "Float": [0.5, 1],
    "Boolean": [True, False],
}


class Answering:
    """Resolvers that answer anything a server with these bounds may answer."""

    def __init__(self, random: Random, schema, *, is_full: bool = False) -> None:
        self.random = random
        self.tariff = Tariff(schema)
        self.is_full = is_full

    def resolve(self, source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        field = info.parent_type.fields[info.field_name]
        size = self.tariff.size(field)
        own = (source or {}).get("#sized", {}).get(info.field_name)
        count = self._count(size, given) if own is None else own
        sized = dict.fromkeys(size.sized_fields, count) if size is not None else {}
        return self._value(info.schema, field.type, count, sized)

    def _count(self, size, given: dict[str, Any]) -> int:
        if size is None:
            return ASSUMED_SIZE
        if size.elements_of is not None:
            assert len(given[size.elements_of]) <= size.at_most
            return len(given[size.elements_of])
        wanted = [given[name] for name in size.slicing_arguments if given.get(name) is not None]
        if not all(0 <= each <= size.at_most for each in wanted) or len(wanted) > 1:
            raise ValueError("This is refused.")
        return wanted[0] if wanted else size.assumed

    def _value(self, schema, kind, count: int, sized: dict[str, int]) -> Any:
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        elif not self.is_full and self.random.random() < 0.15:
            return None
        if isinstance(kind, GraphQLList):
            length = count if self.is_full else self.random.choice((0, 1, count, count, self.random.randint(0, count)))
            return [self._value(schema, kind.of_type, ASSUMED_SIZE, sized) for _ in range(min(length, count))]
        if is_leaf_type(kind):
            return next(iter(kind.values)) if isinstance(kind, GraphQLEnumType) else "1"
        possible = schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
        return {"__typename": self.random.choice(list(possible)).name, "#sized": sized}


def answered(schema, text: str, name, variables, answering: Answering) -> ExecutionResult:
    outcome = execute_sync(
        schema,
        parse(text),
        operation_name=name,
        variable_values=dict(variables or {}),
        field_resolver=answering.resolve,
        type_resolver=lambda value, *_: value["__typename"],
    )
    assert isinstance(outcome, ExecutionResult)
    return outcome


def unclamped(price: OperationPrice, data, variables) -> int:
    price.actual(data, variables)
    compiled = price._variant(variables).actual
    assert compiled is not None
    return compiled(data, variables)


class TestAnyOperation:
    """Over the served schema as it is printed, so that its text alone is enough to price by."""

    store = DocumentStore(SERVED)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**48))
    def test_it_costs_at_most_what_was_said(self, seed):
        random = Random(seed)  # noqa: S311 - data for tests.
        types = {OperationType.QUERY: 3, OperationType.MUTATION: 1}
        wishes = Wishes(depth=6, size=30, types=types, values=VALUES, spoilt=0)
        for written in Writer(SERVED, random, wishes).operations():
            document = self.store.get(written.text)
            if document.failures:
                continue
            chosen = document.operation(written.name)
            assert isinstance(chosen, Operation)
            variables = dict(written.variables)
            requested = chosen.price.requested(variables)
            assert sum(chosen.price.by_field(variables).values()) == requested
            if requested > MOST:
                continue
            outcome = answered(SERVED, written.text, written.name, variables, Answering(random, SERVED))
            if outcome.data is not None:
                assert unclamped(chosen.price, outcome.data, variables) <= requested


LISTING = """query ($n: Int) {
    books(first: $n) {
        totalCount
        nodes { id author { name born { name } } pages(first: 3) { image { url } } editions { id } }
    }
}"""


def test_a_full_answer_costs_what_was_said():
    price = operation(LISTING).price
    full = Answering(Random(1), SCHEMA, is_full=True)  # noqa: S311 - data for tests.
    for count in (1, 24, 100):
        data = answered(SCHEMA, LISTING, None, {"n": count}, full).data
        assert price.actual(data, {"n": count}) == price.requested({"n": count}) == 7 + count * (1 + 2 + 6 + 4)


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        ("{ book { id } }", {"book": None}, 0),
        ("{ book { author { name } } }", {"book": {"author": None}}, 1),
        ("{ books { nodes { id } totalCount } }", {"books": {"nodes": [], "totalCount": 0}}, 7),
        ("{ books { nodes { id } totalCount } }", {"books": {"nodes": [{"id": 1}], "totalCount": 1}}, 8),
        ("{ books { edges { node { author { name } } } } }", {"books": {"edges": [{"node": {"author": {}}}] * 2}}, 6),
        ("{ nodes(ids: [1, 2, 3]) { id } }", {"nodes": [{"id": 1}, None, None]}, 1),
        ("{ book { shelves { number } } }", {"book": {"shelves": [[{}, {}], [], [{}]]}}, 4),
        ("{ heavy }", {"heavy": None}, 3),
        ("mutation { write { book { id } } }", {"write": {"book": None}}, 10),
        ("mutation { writeMany(inputs: [{}, {}]) { results { book { id } } } }", {"writeMany": {"results": []}}, 20),
        (
            "{ found { ... on Book { author { name } } ... on Author { books { id } } } }",
            {"found": [{"author": {"name": 1}}, {"author": None}, {"books": [{"id": 1}] * 3}]},
            3 + 1 + 3,
        ),
        ("{ __schema { types { name } } }", {"__schema": {"types": []}}, 100),
    ],
)
def test_the_actual_price_of(text, data, expected):
    assert operation(text).price.actual(data) == expected


def test_an_operation_without_data_costs_what_was_said():
    assert operation("{ books { nodes { id } } }").price.actual(None) == 22


def test_what_the_answer_does_not_tell_costs_what_was_said():
    """Both types answer with the same keys, and hold different things under them."""
    text = "{ found { ... on Book { x: author { name } } ... on Author { x: born { name } } } }"
    price = operation(text).price
    assert price.requested() == 10
    assert price.actual({"found": [{"x": {"name": 1}}, {"x": None}]}) == 3
    mixed = "{ found { ... on Book { x: author { born { name } } } ... on Author { x: born { name } } } }"
    assert (
        operation(mixed).price.actual({"found": [{"x": {"name": "no born here"}}]})
        == operation(mixed).price.requested()
    )


def test_conditions_are_seen_by_the_actual_price():
    price = operation("query ($a: Boolean!) { book { id author @include(if: $a) { id } } }").price
    assert price.actual({"book": {"id": 1, "author": {"id": 1}}}, {"a": True}) == 2
    assert price.actual({"book": {"id": 1}}, {"a": False}) == 1


def test_the_printed_schema_holds_all_prices():
    named = get_named_type(SERVED.query_type.fields["products"].type)
    assert Tariff(SERVED).object_weight(named) == 2
