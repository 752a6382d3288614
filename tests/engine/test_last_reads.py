"""What a mutation shows: whether reading it is all that is left to be read."""

import pytest
from graphql import OperationType
from graphql.execution.values import VariableValues

from engine.documents import DocumentStore, Operation
from engine.plans import Field, Plan, Selection
from schema.build import build


def update(shown: str) -> str:
    return f'categoryUpdate(id: "a", input: {{}}) {{ category {{ {shown} }} }}'


STORE = DocumentStore(build())


def plan_of(text: str) -> Plan:
    operation = STORE.get(text).operation(None)
    assert isinstance(operation, Operation)
    assert operation.executable is not None
    plan = operation.executable._plan(VariableValues({}, {}), folds=False)
    assert plan is not None
    return plan


def loading(selection: Selection) -> list[Field]:
    found = [field for field in selection.fields if field.loading is not None]
    for field in selection.fields:
        type_ = getattr(field.type, "of_type", field.type)
        if field.selection_of is not None and not field.abstract and hasattr(type_, "fields"):
            found += loading(field.selection_of(type_))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"mutation {{ {update('id')} }}", [True]),
        (f"mutation {{ {update('id parent { id }')} }}", [False, False]),
        (f"mutation {{ {update('id')} b: {update('id')} }}", [False, False]),
        ('{ category(slug: "a") { parent { id } } }', [False]),
    ],
)
def test_only_what_one_mutation_shows_of_one_relation_is_read_last(text, expected):
    plan = plan_of(text)
    assert plan.is_serial is (text.startswith(OperationType.MUTATION.value))
    assert [field.is_last for field in loading(plan.root)] == expected
