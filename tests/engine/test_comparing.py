"""The comparison itself: what it lets pass and what it finds."""

from collections import Counter
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError, build_schema, parse

from tests.engine.comparing import Outcome, Seen, difference, errors_without_propagation, operation_of, shapes_of

SCHEMA = build_schema("type Query { a: A, list: [A!] } type A { x: Int!, y: Int!, may: Int, a: A }")
DOCUMENT = parse("{ a { x y may } list { x } }")
OPERATION = operation_of(DOCUMENT, None)


def outcome(data: Any, *paths: tuple[str | int, ...]) -> Outcome:
    return Outcome.of(ExecutionResult(data, [GraphQLError(f"at {path}", path=path) for path in paths]))


def differs(expected: Outcome, actual: Outcome, *possible: tuple[str | int, ...]) -> str | None:
    return difference(
        expected,
        actual,
        all_errors=lambda: Counter({Seen.of(GraphQLError(f"at {path}", path=path)): 1 for path in possible}),
        shapes=lambda: shapes_of(SCHEMA, DOCUMENT, OPERATION),
    )


NULLED = {"a": None, "list": []}
X, Y, MAY = ("a", "x"), ("a", "y"), ("a", "may")


def test_what_is_equal_does_not_differ():
    assert differs(outcome(NULLED, X), outcome(NULLED, X)) is None


def test_another_sibling_may_have_nulled_the_same_place():
    assert differs(outcome(NULLED, X), outcome(NULLED, Y), X, Y) is None
    assert differs(outcome(NULLED, X), outcome(NULLED, MAY, X), X, Y, MAY) is None


@pytest.mark.parametrize(
    ("data", "paths", "word"),
    [
        ({"list": [], "a": None}, [X], "data"),
        (NULLED, [], "null"),
        (NULLED, [MAY], "null"),
        (NULLED, [("a", "a")], "nowhere"),
        (NULLED, [X, X], "nowhere"),
        (NULLED, [X, ("list",)], "not null"),
    ],
)
def test_all_else_is_found(data: Any, paths: list[tuple[str, ...]], word: str):
    found = differs(outcome(NULLED, X), outcome(data, *paths), X, Y, MAY, ("list",))
    assert found is not None
    assert word in found


def test_the_order_of_effects_is_compared():
    first, second = ExecutionResult({}, None), ExecutionResult({}, None)
    found = differs(Outcome.of(first, ["a", "b"]), Outcome.of(second, ["b", "a"]))
    assert found is not None
    assert "order" in found


async def test_without_propagation_everything_is_told():
    root = {"a": {"x": None, "y": None, "may": RuntimeError("no")}}
    found = await errors_without_propagation(SCHEMA, DOCUMENT, OPERATION, root_value=root)
    assert {each.path for each in found} == {X, Y, MAY}
