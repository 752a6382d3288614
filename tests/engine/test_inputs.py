"""Values of input types become what Strawberry makes of them."""

import enum
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.relay import GlobalID
from strawberry.types.arguments import convert_argument

from engine import inputs


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"


@strawberry.input
class Leaf:
    name: str
    count: int = 7


@strawberry.input
class Tree:
    leaf: Leaf
    given_name: str | None
    leaves: list[Leaf] = strawberry.field(default_factory=list)
    grid: list[list[Leaf | None]] | None = None
    below: list[Annotated["Tree", strawberry.lazy("tests.engine.test_inputs")]] | None = None
    twin: "Tree | None" = None
    colours: list[Colour] | None = None
    ids: list[strawberry.ID] | None = None
    node: GlobalID | None = None
    maybe: strawberry.Maybe[Leaf | None]


def echo(trees: list[Tree | None] | None = None) -> str:
    return repr(trees)


@strawberry.type
class Query:
    echo: str = strawberry.field(resolver=echo)


SCHEMA = strawberry.Schema(Query)
LEAF: dict[str, Any] = {"name": "a"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        [None],
        [{"leaf": LEAF}],
        [{"leaf": {"name": "a", "count": 2}, "givenName": "b"}, {"leaf": LEAF, "givenName": None}],
        [{"leaf": LEAF, "leaves": [LEAF, LEAF], "grid": [[LEAF, None], []]}],
        [{"leaf": LEAF, "leaves": None, "grid": None}],
        [{"leaf": LEAF, "below": [{"leaf": LEAF}], "twin": {"leaf": LEAF, "twin": {"leaf": LEAF, "leaves": [LEAF]}}}],
        [{"leaf": LEAF, "colours": [Colour.RED], "ids": ["x", "y"], "node": "VHJlZTox"}],
        [{"leaf": LEAF, "maybe": None}, {"leaf": LEAF, "maybe": LEAF}],
        ({"leaf": LEAF},),
        [{"leaf": LEAF, "unknown": 1}],
    ],
)
def test_values_become_what_the_library_makes_of_them(value: Any) -> None:
    converter = SCHEMA.schema_converter
    query = SCHEMA.get_type_by_name("Query")
    [argument] = query.fields[0].arguments  # type: ignore[union-attr]
    made = inputs.converting(argument.type, converter)(value)
    assert made == convert_argument(value, argument.type, converter.scalar_registry, converter.config)


def test_input_types_below_are_not_left_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    [argument] = SCHEMA.get_type_by_name("Query").fields[0].arguments  # type: ignore[union-attr]
    convert = inputs.converting(argument.type, SCHEMA.schema_converter)
    monkeypatch.delattr(inputs, "convert_argument")
    [made] = convert([{"leaf": LEAF, "twin": {"leaf": LEAF, "leaves": [LEAF]}}])
    assert made.twin.leaves == [Leaf(name="a")]


def test_what_is_given_stays_as_it_was() -> None:
    [argument] = SCHEMA.get_type_by_name("Query").fields[0].arguments  # type: ignore[union-attr]
    ids = ["x"]
    [made] = inputs.converting(argument.type, SCHEMA.schema_converter)([{"leaf": LEAF, "ids": ids}])
    assert made.ids == ids
    assert made.ids is not ids
