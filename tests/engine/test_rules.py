"""Documents are refused for what graphql-core refuses them for, and no longer looked at than that takes."""

import pytest
from graphql import build_schema, parse, validate
from graphql.validation import ValidationContext

from engine.documents import ERRORS_SHOWN, DocumentStore
from engine.rules import rules_of

SCHEMA = build_schema("""
    type Query { a(x: Int, y: String): Int, b(x: Int!): Query, list: [Query] }
    input In { x: Int! }
""")
DOCUMENTS = [
    "{ a }",
    "query ($x: Int) { a(x: $x) }",
    "query ($x: Int) { a }",
    "query One($x: Int) { a } query Two { a(x: $x) }",
    "{ a(x: $x) b(x: $x) { a(y: $y) } }",
    "query ($x: Int) { b(x: $x) { a } }",
    "query ($x: String) { a(x: $x) ...f } fragment f on Query { a(y: $z) }",
    "fragment f on Query { a(y: $z) } query ($z: Int) { list { ...f } }",
    "query ($x: In, $x: Nothing = 5) { a(x: 1, x: 2, z: 3) c }",
    'query ($x: Int) { a(y: "$x") c }',
    '{ a(y: "$x") c @skip(if: $y) }',
    "query ($x: Int) { a @nobody ...g b { a } }",
    "{ c d }",
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_each_error_of_the_library_is_told(text):
    tree = parse(text)
    expected = [(each.message, each.locations) for each in validate(SCHEMA, tree)]
    found = [(each.message, each.locations) for each in validate(SCHEMA, tree, rules_of(text))]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize("head", ["", "query ($x: Int) "])
def test_a_document_that_is_wrong_from_the_beginning_is_not_searched_for_variables(head, monkeypatch):
    searched = []
    search = ValidationContext.get_variable_usages

    def noted(context, node):
        searched.append(node)
        return search(context, node)

    monkeypatch.setattr(ValidationContext, "get_variable_usages", noted)
    fragment = "fragment f on Query { a(x: $x) } " if head else ""
    wrong = " ".join(f"x{number}" for number in range(ERRORS_SHOWN + 1))
    spread = "...f " if head else ""
    document = DocumentStore(SCHEMA).get(f"{fragment}{head}{{ {spread}{wrong} }}")
    assert len(document.failures) == ERRORS_SHOWN
    assert searched == []
