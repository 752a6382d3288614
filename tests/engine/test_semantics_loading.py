"""Fields of Strawberry's that the engine reads a level at a time: relations, computed values, permissions."""

import re
from typing import Any

import pytest

from engine import building, graphql
from engine import compile as compiling
from engine.building import generated
from tests.engine.comparing import Outcome
from tests.engine.running import errors_of, run
from tests.engine.synthetic import strawberries
from tests.engine.synthetic.leaves import Broken
from tests.engine.synthetic.strawberries import Shelf

SCHEMA = strawberries.build()
KNOWN = set(
    "def build ps outs for p in append return if else type is str int float True False None and or v w isfinite".split()
)
COLUMNS = {"id", "name", "colour", "weight"}
"""Words of generated code, and names of the schema that stand in it as attributes."""

PARTS = "{ items(wanted: {count: 4}) { ... on Part { "


async def test_a_relation_is_read_once_for_all_parents_of_a_level():
    shelf = Shelf(1)
    result = await run(SCHEMA, PARTS + "parts(first: 2) { name labels } } } }", context=shelf)
    parents = [each["parts"] for each in result.data["items"] if each]
    assert sum(map(len, parents)) > 1
    assert [relation for relation, _, _ in shelf.batches] == ["parts", "labels"]
    assert [len(keys) for _, keys, _ in shelf.batches] == [len(parents), sum(map(len, parents))]
    assert shelf.singles == []


async def test_two_relations_of_a_level_are_read_in_a_batch_each():
    shelf = Shelf(1)
    await run(SCHEMA, PARTS + "parts { id } labels owner { id } } } }", context=shelf)
    assert sorted(relation for relation, _, _ in shelf.batches) == ["labels", "owner", "parts"]


async def test_one_relation_with_other_arguments_is_another_batch():
    shelf = Shelf(1)
    await run(SCHEMA, PARTS + "a: parts(first: 1) { id } b: parts(first: 2) { id } } } }", context=shelf)
    assert sorted(arguments for _, _, arguments in shelf.batches) == ["{'first': 1}", "{'first': 2}"]


async def test_a_failing_batch_nulls_its_own_fields_only():
    faulty = next(seed for seed in range(100) if _fails(seed, "owner") and not _fails(seed, "labels"))
    result = await run(SCHEMA, "{ part { name owner { id } labels } }", context=Shelf(faulty, faults=50))
    assert result.data["part"]["owner"] is None
    assert isinstance(result.data["part"]["labels"], list)
    assert errors_of(result) == [(["part", "owner"], "no owner")]


async def test_a_failing_batch_fails_nobody_who_asked_for_nothing():
    text = PARTS + "owner { id } itself { owner { id } } } } }"
    for seed in range(40):
        result = await run(SCHEMA, text, context=Shelf(seed, faults=60))
        assert Outcome.of(result) == await _reference(text, Shelf(seed, faults=60))


def _fails(seed: int, relation: str) -> bool:
    try:
        Shelf(seed, faults=50)._read(relation, 1, {})
    except Broken:
        return True
    return False


@pytest.mark.parametrize("may", [True, False])
async def test_permissions_and_extensions_of_fields_are_honoured(may):
    text = "{ part { name secret loud double(plus: 2) } either { __typename } }"
    result = await run(SCHEMA, text, context=Shelf(3, may=may))
    expected = await _reference(text, Shelf(3, may=may))
    assert Outcome.of(result) == expected
    part = result.data["part"]
    assert part["loud"] == (part["name"] and part["name"].upper())
    assert part["double"] % 2 == 0
    assert part["secret"] == ("secret" if may else None)
    assert [path for path, _ in errors_of(result)] == ([] if may else [["part", "secret"], ["either"]])


async def _reference(text: str, context: Any) -> Outcome:
    return Outcome.of(await graphql(SCHEMA, text, context_value=context, executor="reference"))


async def test_computed_fields_and_those_of_the_same_row():
    text = "{ part { id name title itself { id itself { title } } colour } }"
    for seed in range(8):
        assert Outcome.of(await run(SCHEMA, text, context=Shelf(seed))) == await _reference(text, Shelf(seed))


async def test_code_holds_nothing_but_quoted_keys_and_generated_names(monkeypatch):
    """Whatever the schema and the client call things: nothing of it becomes code."""
    sources = []

    def noted(source: str, names: Any) -> Any:
        sources.append(source)
        return generated(source, names)

    for module in (building, compiling):
        monkeypatch.setattr(module, "generated", noted)
    await run(
        SCHEMA, "{ part { import: id __class__: name os_system: colour title weight __typename } }", context=Shelf(1)
    )
    assert sources
    words = re.compile(r"[^\W\d]\w*")
    for source in sources:
        bare = re.sub(r"'[^'\\]*'", "''", source)
        assert {
            word for word in words.findall(bare) if word not in KNOWN | COLUMNS and not re.fullmatch(r"n\d+", word)
        } == set()
