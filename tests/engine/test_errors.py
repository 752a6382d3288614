"""Errors of documents in words that suit clients of any language."""

import pytest

from engine.documents import DocumentStore
from schema.build import build

DATE_TIME = "This is not a DateTime; write 2026-01-31T12:00:00Z, as ISO 8601 has it."
DATE = "This is not a Date; write 2026-01-31, as ISO 8601 has it."
DECIMAL = "This is not a Decimal; write a decimal number such as 12.50."


@pytest.fixture(scope="module")
def store() -> DocumentStore:
    return DocumentStore(build())


LISTING = 'listingUpdate(id: "a", expectedVersion: 1, input: { availableFrom: %s })'
ATTRIBUTE = 'productAttributesSet(id: "a", attributes: [{ attributeId: "b", %s }])'


@pytest.mark.parametrize(
    ("mutation", "told"),
    [
        (LISTING % '"0000-01-01T00:00:00Z"', DATE_TIME),
        (LISTING % '"x"', DATE_TIME),
        (ATTRIBUTE % 'date: "2026-02-30"', DATE),
        (ATTRIBUTE % 'number: "x"', DECIMAL),
    ],
)
def test_values_of_scalars_are_told_how_they_are_written(store, mutation, told):
    text = f"mutation {{ {mutation} {{ __typename }} }}"
    assert [failure.message for failure in store.get(text).failures] == [told]
