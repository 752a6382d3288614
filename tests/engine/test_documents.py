"""Documents are examined once and kept within bounds."""

import hashlib

import pytest
from graphql import GraphQLError, GraphQLScalarType, OperationType, build_schema

from engine import documents
from engine.documents import Document, DocumentStore, Operation
from engine.errors import Failure
from engine.limits import Limits

SCHEMA = build_schema("""
    scalar Amount
    type Query { a: String p: P pay(amount: Amount): String }
    type Mutation { b: String }
    type P { p: P amount: String l(n: Int): [P] }
""")


def read_amount(value: object) -> object:
    if value == "refused":
        raise GraphQLError("An amount is a decimal number.")
    return float(value)


AMOUNT = SCHEMA.get_type("Amount")
assert isinstance(AMOUNT, GraphQLScalarType)
AMOUNT.coerce_input_literal = lambda node: read_amount(node.value)


@pytest.fixture
def store() -> DocumentStore:
    return DocumentStore(SCHEMA)


def failure(store: DocumentStore, text: str) -> Failure:
    (only,) = store.get(text).failures
    return only


def test_a_document_is_parsed_and_validated_once(store, monkeypatch):
    calls: list[str] = []
    parse, validate = documents.parse, documents.validate
    monkeypatch.setattr(documents, "parse", lambda *a, **k: calls.append("parse") or parse(*a, **k))
    monkeypatch.setattr(documents, "validate", lambda *a, **k: calls.append("validate") or validate(*a, **k))
    assert store.get("{ a }") is store.get("{ a }")
    assert calls == ["parse", "validate"]


def test_failures_are_found_once_too(store, monkeypatch):
    first = store.get("{")
    monkeypatch.setattr(documents, "parse", None)
    assert store.get("{") is first


def test_a_record_knows_its_hash_and_operations(store):
    text = "query A { a } mutation B { b }"
    document = store.get(text)
    assert document.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert [(o.name, o.type) for o in document.operations.values()] == [
        ("A", OperationType.QUERY),
        ("B", OperationType.MUTATION),
    ]
    assert document.failures == ()


def test_the_least_recently_used_document_leaves_first():
    store = DocumentStore(SCHEMA, size=2)
    kept, left = store.get("{ a }"), store.get("{ x: a }")
    store.get("{ a }")
    store.get("{ y: a }")
    assert len(store) == 2
    assert store.get("{ a }") is kept
    assert store.get("{ x: a }") is not left


def test_all_documents_together_are_bounded_by_their_tokens():
    store = DocumentStore(SCHEMA, tokens=10)
    store.get("{ a a a }")
    store.get("{ a }")
    store.get("{ a a }")
    assert len(store) == 2


def test_a_single_operation_needs_no_name(store):
    for name in (None, ""):
        chosen = store.get("query A { a }").operation(name)
        assert isinstance(chosen, Operation)
        assert chosen.name == "A"


def test_one_of_several_operations_must_be_named(store):
    document = store.get("query A { a } query B { a }")
    chosen = document.operation("B")
    assert isinstance(chosen, Operation)
    assert chosen.name == "B"
    refusal = document.operation(None)
    assert isinstance(refusal, Failure)
    assert refusal.code == "BAD_REQUEST"
    assert "operationName" in refusal.message


def test_an_unknown_operation_is_refused(store):
    refusal = store.get("query A { a }").operation("B")
    assert isinstance(refusal, Failure)
    assert refusal.code == "BAD_REQUEST"


def test_syntax_errors(store):
    assert failure(store, "{ a") == Failure(
        "Syntax Error: Expected Name, found <EOF>.", "GRAPHQL_PARSE_FAILED", locations=((1, 4),)
    )


def test_validation_errors(store):
    assert failure(store, "{ z }") == Failure(
        "Cannot query field 'z' on type 'Query'.", "GRAPHQL_VALIDATION_FAILED", locations=((1, 3),)
    )


def test_ten_validation_errors_are_shown(store):
    text = "{" + " ".join(f"z{n}" for n in range(20)) + "}"
    found = store.get(text).failures
    assert [f.message for f in found] == [f"Cannot query field 'z{n}' on type 'Query'." for n in range(10)]


def test_suggestions_are_hidden_unless_wanted(store):
    text = "{ p { amoun } }"
    assert "Did you mean" not in failure(store, text).message
    assert "Did you mean 'amount'?" in failure(DocumentStore(SCHEMA, suggestions=True), text).message


def test_failed_documents_keep_no_tree(store):
    assert store.get("{ z }").tree is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{ a } #" + "x" * 20_000, "length"),
        ("{" + " a" * 3_000 + "}", "tokens"),
        ("{ a }" + "\n#" * 201, "comments"),
        ("{ p {" + " ...F" * 100 + "} } fragment F on P {" + " amount" * 25 + "}", "selections"),
        ("{" + "p{" * 12 + "amount" + "}" * 13, "depth"),
        ("{" + " a" * 21 + "}", "root_fields"),
        ("mutation {" + " b" * 6 + "}", "root_mutations"),
        ("{ p {" + " x:amount" * 31 + "} }", "aliases"),
        ("{ p {" + " amount" * 1_900 + "} }", "repetition"),
        ("{ p {" + " ...{amount}" * 251 + "} }", "spreads"),
        ("{ p {" + " ...{amount}" * 200 + "} }", "repetition"),
        ("{ p {" + " p{amount}" * 700 + "} }", "repetition"),
    ],
)
def test_limits_are_named(store, text, limit):
    found = failure(store, text)
    assert found.code == "LIMIT_EXCEEDED"
    assert found.extensions == {"limit": limit}


def test_texts_at_their_limits_pass():
    store = DocumentStore(SCHEMA, limits=Limits(length=9, tokens=3, comments=1))
    assert store.get("{ a } # x").failures == ()


def test_over_long_texts_are_not_kept(store):
    store.get("{ a } #" + "x" * 20_000)
    assert len(store) == 0


def test_circles_of_fragments_are_named(store):
    found = store.get("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }").failures
    assert found[0].code == "GRAPHQL_VALIDATION_FAILED"
    assert found[0].message == "Cannot spread fragment 'A' within itself via 'B'."


def test_introspection_that_goes_in_circles_is_refused(store):
    text = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    assert failure(store, text).message == "Maximum introspection depth exceeded"


def test_null_characters_in_strings_are_refused(store):
    found = failure(store, '{ pay(amount: "1\\u0000") }')
    assert (found.code, found.locations) == ("BAD_USER_INPUT", ((1, 15),))


def test_the_text_of_foreign_exceptions_stays_inside(store):
    text = '{ pay(amount: "\\u0031x") }'
    assert failure(store, text).message == "Expected value of type 'Amount'."


def test_a_scalar_may_say_what_it_wants(store):
    assert failure(store, '{ pay(amount: "refused") }').message == "An amount is a decimal number."


def test_lone_surrogates_in_a_document_are_a_syntax_error(store):
    found = failure(store, '{ pay(amount: "\\ud800") }')
    assert found.code == "GRAPHQL_PARSE_FAILED"


def test_documents_are_immutable(store):
    with pytest.raises(AttributeError):
        store.get("{ a }").text = "{ p }"
    assert isinstance(store.get("{ a }"), Document)


def test_a_text_that_is_no_unicode_is_a_syntax_error(store):
    assert failure(store, "{ a } # \ud800 \ud800 x {").code == "GRAPHQL_PARSE_FAILED"
