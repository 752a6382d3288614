"""An answer lasts as long as the least lasting field that its operation mentions."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from engine.lifetimes import lifetime_of

SCHEMA = build_schema("""
    interface Thing { id: ID stock: Int }
    type Lamp implements Thing { id: ID stock: Int watts: Int secret: String twin: Lamp }
    type Query { lamp: Lamp lamps: [Lamp] thing: Thing unsaid: Lamp }
    type Mutation { lamp: Lamp }
""")
SECONDS = {"Query.lamp": 1800, "Query.lamps": 3600, "Query.thing": 1800, "Lamp.stock": 60, "Lamp.secret": 0}
BY_FIELD = {
    id(SCHEMA.type_map[name.split(".")[0]].fields[name.split(".")[1]]): seconds for name, seconds in SECONDS.items()
}


def lifetime(text):
    tree = parse(text)
    operation = next(node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
    return lifetime_of(SCHEMA, tree, operation, lambda field: BY_FIELD.get(id(field)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("{ lamp { id } }", 1800),
        ("{ lamps { id } }", 3600),
        ("{ lamps { id } lamp { id } }", 1800),
        ("{ lamps { twin { twin { stock } } } }", 60),
        ("{ lamps { secret } }", 0),
        ("{ unsaid { id } }", 0),
        ("{ lamps { id } unsaid { id } }", 0),
        ("{ other: lamps { number: stock } }", 60),
        ("{ thing { id ... on Lamp { stock } } }", 60),
        ("{ lamps { ...F } } fragment F on Lamp { twin { ...G } } fragment G on Lamp { stock }", 60),
        ("{ lamps { ...F } } fragment F on Lamp { id }", 3600),
        ("query ($yes: Boolean!) { lamps { id stock @include(if: $yes) } }", 60),
        ("{ lamps { __typename } __typename }", 3600),
        ("{ __typename }", 0),
        ('{ __type(name: "Lamp") { name } }', 0),
        ("{ lamps { id } __schema { description } }", 0),
        ("mutation { lamp { id } }", 0),
    ],
)
def test_the_least_lasting_field_decides(text, seconds):
    assert lifetime(text) == seconds


def test_fragments_that_are_not_spread_do_not_count():
    assert lifetime("query A { lamps { id } } query B { lamps { ...F } } fragment F on Lamp { stock }") == 3600


def test_fragments_that_spread_each_other_many_times_are_read_once():
    levels = [f"fragment F{n} on Lamp {{ twin {{ ...F{n + 1} ...F{n + 1} }} }}" for n in range(30)]
    assert lifetime(f"{{ lamps {{ ...F0 }} }} {' '.join(levels)} fragment F30 on Lamp {{ stock }}") == 60
