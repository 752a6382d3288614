"""`Last-Event-ID` in place of the argument `after`, however the document takes that."""

import pytest
from graphql import build_schema

from core.errors import BadRequest
from engine.documents import DocumentStore
from server.graphql.costs import Costs
from server.graphql.operating import Chosen
from server.graphql.requests import GraphQLRequest
from server.live.resuming import resumed

STORE = DocumentStore(
    build_schema(
        "scalar BigInt type Query { a: Int }"
        " type Subscription { ticks(ids: [ID!], after: BigInt): Int limited(after: BigInt!): Int other: Int }"
    )
)


def take_up(text, last_event_id, *, name=None, variables=None):
    document = STORE.get(text)
    assert document.failures == ()
    operation = document.operation(name)
    costs = Costs.of(operation.price, {}, {}, at_most=1_000)
    request = GraphQLRequest(text, None, name, variables or {}, {})
    return resumed(STORE, Chosen(document, operation, costs), request, last_event_id)


@pytest.mark.parametrize("variables", [{}, {"from": None}, {"from": "3"}, {"from": "90"}])
def test_the_header_wins_over_the_variable(variables):
    text = "subscription($from: BigInt) { ticks(after: $from) }"
    chosen, request = take_up(text, "7", variables=variables)
    assert chosen.document.text == text
    assert request.variables == {"from": "7"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subscription { ticks }", "subscription($lastEventId: BigInt) { ticks(after: $lastEventId) }"),
        (
            'subscription T($ids: [ID!]) { t: ticks(ids: $ids, after: "5") }',
            "subscription T($lastEventId: BigInt, $ids: [ID!]) { t: ticks(ids: $ids, after: $lastEventId) }",
        ),
        (
            'fragment F on Subscription { ticks(ids: ["é"]) } subscription S { ...F }',
            (
                'fragment F on Subscription { ticks(after: $lastEventId, ids: ["é"]) }'
                " subscription S($lastEventId: BigInt) { ...F }"
            ),
        ),
        (
            "#😀\nsubscription S { ... on Subscription { ...F } } fragment F on Subscription { limited(after: 1) }",
            (
                "#😀\nsubscription S($lastEventId: BigInt!) { ... on Subscription { ...F } }"
                " fragment F on Subscription { limited(after: $lastEventId) }"
            ),
        ),
        (
            "subscription($lastEventId: [ID!]) { ticks(ids: $lastEventId, after: null) }",
            (
                "subscription($lastEventId0: BigInt, $lastEventId: [ID!])"
                " { ticks(ids: $lastEventId, after: $lastEventId0) }"
            ),
        ),
    ],
)
def test_a_document_that_takes_no_variable_is_given_one(text, expected):
    chosen, request = take_up(text, "7")
    assert (chosen.document.text, chosen.document.failures) == (expected, ())
    assert chosen.operation is chosen.document.operation(None)
    assert list(request.variables.values()) == ["7"]


def test_of_several_operations_the_chosen_one_goes_on():
    text = "subscription A { ticks } subscription B { ticks }"
    chosen, _ = take_up(text, "7", name="B")
    assert chosen.operation.name == "B"
    assert chosen.document.text == (
        "subscription A { ticks } subscription B($lastEventId: BigInt) { ticks(after: $lastEventId) }"
    )


def test_a_fragment_of_several_operations_is_not_taken_apart():
    text = "subscription A { ...F } subscription B { ...F } fragment F on Subscription { ticks }"
    with pytest.raises(BadRequest, match="let it take `after` by a variable"):
        take_up(text, "7", name="A")


def test_what_cannot_be_taken_up_is_left_alone():
    chosen, request = take_up("subscription { other }", "7")
    assert (chosen.document.text, request.variables) == ("subscription { other }", {})


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_the_header_all_stays_as_it_is(nothing):
    chosen, request = take_up("subscription { ticks(after: 3) }", nothing)
    assert (chosen.document.text, request.variables) == ("subscription { ticks(after: 3) }", {})


@pytest.mark.parametrize("garbage", ["-1", "1.5", "x", " 7", "7, 8", "٣", "1" * 19, "1" * 4_000, "7\x00", "null"])
def test_what_is_no_id_of_ours_is_refused(garbage):
    with pytest.raises(BadRequest, match="up to 18 digits"):
        take_up("subscription { ticks }", garbage)
