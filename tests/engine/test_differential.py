"""Random operations over a schema with every feature, executed by the engine and by graphql-core: nothing differs."""

import os
from collections.abc import Callable
from random import Random

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, OperationType, parse, validate
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from tests.engine.cases import Case, Fallbacks, Surroundings, cases_of, differences
from tests.engine.operations import Wishes, Writer, seeded
from tests.engine.synthetic import strawberries
from tests.engine.synthetic.schema import build
from tests.engine.synthetic.world import World, object_of

COUNT = int(os.environ.get("GALLERIA_DIFFERENTIAL", "20000"))
PARTS = 16
CHUNK = 250
pytestmark = pytest.mark.filterwarnings(
    # Coroutines that graphql-core has left behind; those of the engine are counted by `differences`.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
FAULTS = (0, 0, 20, 80)
WISHES = Wishes(
    size=14,
    types={OperationType.QUERY: 10, OperationType.MUTATION: 2, OperationType.SUBSCRIPTION: 1},
    values={"Money": ("1.50", "0"), "Json": ({"a": [1, None]}, "x", 3, None), "Plain": ("p", 1)},
    directive='@note(text: "x", colour: BLUE)',
)
SCHEMA = build()


def in_world(
    schema: GraphQLSchema, seed: int, faults: int
) -> Callable[[OperationDefinitionNode], Callable[[], Surroundings]]:
    """Return what makes the surroundings of operations on the synthetic schema."""

    def surround(node: OperationDefinitionNode) -> Callable[[], Surroundings]:
        root = schema.get_root_type(node.operation)
        assert root is not None
        name = root.name

        def make() -> Surroundings:
            world = World(schema, seed, faults)
            return Surroundings(world, object_of(world, name, seed), world.log)

        return make

    return surround


def cases(random: Random, seed: int) -> list[Case]:
    faults = FAULTS[seed % len(FAULTS)]
    operations = Writer(SCHEMA, random, WISHES).operations()
    return cases_of(SCHEMA, operations, in_world(SCHEMA, seed, faults), f"seed {seed}, faults {faults}")


def test_the_operations_are_valid():
    for seed in range(300):
        text = Writer(SCHEMA, seeded(seed), WISHES).operations()[0].text
        assert validate(SCHEMA, parse(text)) == [], text


@pytest.mark.parametrize("part", range(PARTS))
async def test_random_operations(part: int, monkeypatch: pytest.MonkeyPatch):
    """A share of the operations; GALLERIA_DIFFERENTIAL says how many there are altogether."""
    fallbacks = Fallbacks(monkeypatch)
    executed = 0
    seed = part
    while executed < COUNT // PARTS:
        chunk: list[Case] = []
        while len(chunk) < CHUNK:
            chunk += cases(seeded(seed), seed)
            seed += PARTS
        found = await differences(chunk)
        assert not found, f"{len(found)} differ; the first:\n{found[0]}"
        executed += len(chunk)
    assert fallbacks.count - executed <= executed // 20, "nearly everything is for the engine"


@given(some.randoms(use_true_random=False), some.integers(0, 2**16))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
async def test_operations_that_shrink(random: Random, seed: int):
    """The same, drawn in a way that makes what fails small."""
    found = await differences(cases(random, seed))
    assert not found, found[0]


@pytest.mark.parametrize("part", range(2))
async def test_random_operations_on_a_schema_of_strawberry(part: int):
    """With fields that load, are computed, or have extensions and permissions."""
    schema = strawberries.build()
    wishes = Wishes(depth=6, size=20, values={"Int": (1, 2, 3)})
    for start in range(0, COUNT // 40, CHUNK):
        chunk: list[Case] = []
        for seed in range(start + part, min(start + CHUNK, COUNT // 40), 2):
            operations = Writer(schema, seeded(seed), wishes).operations()

            def make(seed: int = seed) -> Surroundings:
                return Surroundings(strawberries.Shelf(seed, (0, 0, 25)[seed % 3], may=seed % 5 != 0))

            chunk += cases_of(schema, operations, lambda _, make=make: make, f"seed {seed}")
        found = await differences(chunk)
        assert not found, f"{len(found)} differ; the first:\n{found[0]}"
