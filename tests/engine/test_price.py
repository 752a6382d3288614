"""What an operation may cost, by its document and its variables."""

import time

import pytest
from graphql import build_schema, parse, validate

from engine.documents import DocumentStore, Operation
from engine.errors import Failure
from engine.price import MOST, affordable

SDL = """
    directive @cost(weight: String!) on OBJECT | FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
    directive @listSize(
        assumedSize: Int
        slicingArguments: [String!]
        sizedFields: [String!]
        requireOneSlicingArgument: Boolean = true
    ) on FIELD_DEFINITION
    directive @bound(atMost: Int!, elementsOf: String) on FIELD_DEFINITION

    interface Node { id: ID! }
    union Found = Book | Author
    type Query {
        book(id: ID): Book
        books(first: Int, last: Int, filter: Filter, loud: Boolean @cost(weight: "3")): BookConnection!
            @listSize(assumedSize: 20, slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"])
            @bound(atMost: 100)
        node(id: ID!): Node
        nodes(ids: [ID!]!): [Node]! @listSize(assumedSize: 250) @bound(atMost: 250, elementsOf: "ids")
        found: [Found!]! @listSize(assumedSize: 5)
        heavy: Int @cost(weight: "2.5")
    }
    type Mutation {
        write(title: String): Written! @cost(weight: "10")
        writeMany(inputs: [BookInput!]!): ManyWritten!
            @cost(weight: "10")
            @listSize(assumedSize: 250, sizedFields: ["results"])
            @bound(atMost: 250, elementsOf: "inputs")
    }
    input BookInput { title: String }
    input Filter { text: String @cost(weight: "10"), genre: String, also: Filter, any: [Filter!] }
    type Written @cost(weight: "0") { book: Book }
    type ManyWritten @cost(weight: "0") { results: [Written!]! applied: Int! }
    type BookConnection @cost(weight: "2") {
        nodes: [Book!]!
        edges: [BookEdge!]!
        pageInfo: PageInfo!
        totalCount: Int! @cost(weight: "5")
    }
    type BookEdge @cost(weight: "0") { cursor: String! node: Book! }
    type PageInfo @cost(weight: "0") { hasNextPage: Boolean! }
    type Book implements Node {
        id: ID!
        title: String
        tags: [String!]!
        author: Author
        pages(first: Int! = 10): [Page!]!
            @listSize(assumedSize: 10, slicingArguments: ["first"]) @bound(atMost: 50)
        editions: [Book!]! @listSize(assumedSize: 4)
        shelves: [[Shelf!]!]! @listSize(assumedSize: 3)
    }
    type Author implements Node { id: ID! name: String books: [Book!]! @listSize(assumedSize: 7) born: Place }
    type Page { number: Int image: Image }
    type Image { url: String }
    type Shelf { number: Int }
    type Place { name: String }
"""
SCHEMA = build_schema(SDL)
STORE = DocumentStore(SCHEMA)


def operation(text: str, name: str | None = None) -> Operation:
    document = STORE.get(text)
    assert document.failures == ()
    chosen = document.operation(name)
    assert isinstance(chosen, Operation)
    return chosen


def requested(text: str, variables: dict | None = None) -> int:
    return operation(text).price.requested(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A leaf is 0, an object 1.
        ("{ __typename }", 0),
        ("{ book { id title tags } }", 1),
        ("{ book { author { name born { name } } } }", 3),
        # A connection is 2, and each of its elements what it holds.
        ("{ books { pageInfo { hasNextPage } } }", 2),
        ("{ books(first: 3) { nodes { id } } }", 2 + 3),
        ("{ books(first: 3) { edges { cursor node { id } } } }", 2 + 3),
        ("{ books(first: 3) { nodes { id } edges { node { id } } } }", 2 + 3 + 3),
        ("{ books(first: 3) { nodes { author { name } } totalCount } }", 2 + 3 * 2 + 5),
        # Its length is what is asked, where that is answered.
        ("{ books(last: 4) { nodes { id } } }", 2 + 4),
        ("{ books(first: 3, last: 4) { nodes { id } } }", 2 + 4),
        ("{ books(first: 3, last: null) { nodes { id } } }", 2 + 3),
        ("{ books(first: 100) { nodes { id } } }", 2 + 100),
        ("{ books(first: 101) { nodes { id } } }", 2 + 100),
        ("{ books(first: 2147483647) { nodes { id } } }", 2 + 100),
        ("{ books(first: 1) { nodes { id } } }", 2 + 1),
        ("{ books(first: 0) { nodes { id } } }", 2 + 20),
        ("{ books(first: -1) { nodes { id } } }", 2 + 20),
        ("{ books(first: null) { nodes { id } } }", 2 + 20),
        ("{ books { nodes { id } } }", 2 + 20),
        # A list is what its bound says.
        ("{ book { pages { number } } }", 1 + 10),
        ("{ book { pages(first: 2) { number image { url } } } }", 1 + 2 * 2),
        ("{ book { editions { id } } }", 1 + 4),
        ("{ book { shelves { number } } }", 1 + 3 * 10),
        # It has an element for each that is brought: one at least.
        ('{ nodes(ids: ["a", "b"]) { id } }', 2),
        ('{ nodes(ids: "a") { id } }', 1),
        ("{ nodes(ids: []) { id } }", 1),
        ("mutation { write { book { id } } }", 10 + 1),
        ("mutation { writeMany(inputs: [{}, {}, {}]) { applied } }", 3 * 10),
        ("mutation { writeMany(inputs: [{}, {}, {}]) { results { book { id } } } }", 3 * 10 + 3),
        # Weights stand on fields, on arguments and in input.
        ("{ heavy }", 3),
        ("{ books(loud: true, first: 1) { nodes { id } } }", 3 + 2 + 1),
        ("{ books(loud: null, first: 1) { nodes { id } } }", 2 + 1),
        ('{ books(first: 1, filter: {text: "x"}) { nodes { id } } }', 10 + 2 + 1),
        ('{ books(first: 1, filter: {genre: "x"}) { nodes { id } } }', 2 + 1),
        ("{ books(first: 1, filter: {text: null}) { nodes { id } } }", 2 + 1),
        ('{ books(first: 1, filter: {also: {text: "x"}, any: [{text: "y"}]}) { nodes { id } } }', 20 + 2 + 1),
        # Of several types the dearest counts.
        ("{ node(id: 1) { id } }", 1),
        ("{ node(id: 1) { ... on Book { editions { id } } ... on Author { books { id } } } }", 1 + 7),
        ("{ found { __typename ... on Author { born { name } } ... on Book { author { born { name } } } } }", 5 * 3),
        ("{ found { ... on Node { ... on Book { author { id } } } } }", 5 * 2),
        # The same field is asked once, whatever repeats it.
        ("{ book { author { name } author { id } ... { author { born { name } } } } }", 3),
        ("{ book { author { name } other: author { name } } }", 3),
        ("{ book { ...A ...A } } fragment A on Book { author { name } }", 2),
        ("{ book { id } x: book { id } }", 2),
        # What is left out costs nothing.
        ("{ book @skip(if: true) { id } heavy @include(if: false) }", 0),
        (
            """{ book { ... @skip(if: true) { author { id } } ...A @include(if: false) } }
            fragment A on Book { editions { id } }""",
            1,
        ),
        # What a schema tells about itself.
        ("{ __schema { types { fields { name } } } }", 100),
        ('{ __type(name: "Query") { fields { name } } book { id } }', 101),
    ],
)
def test_the_price_of(text, expected):
    assert requested(text) == expected
    assert sum(operation(text).price.by_field().values()) == expected


PAGE = "query ($n: Int = 4, $ids: [ID!]! = [1]) { books(first: $n) { nodes { id } } nodes(ids: $ids) { id } }"
SEARCH = """query ($f: Filter, $t: String) {
    books(first: 1, filter: $f) { totalCount }
    x: books(filter: {text: $t}) { totalCount }
}"""
CHOICE = "query ($a: Boolean!, $b: Boolean = true) { book @include(if: $a) { author @skip(if: $b) { id } id } heavy }"


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        (PAGE, None, 2 + 4 + 1),
        (PAGE, {}, 2 + 4 + 1),
        (PAGE, {"n": 7, "ids": [1, 2]}, 2 + 7 + 2),
        (PAGE, {"n": 7.0}, 2 + 7 + 1),
        (PAGE, {"n": None, "ids": []}, 2 + 20 + 1),
        (PAGE, {"n": 0}, 2 + 20 + 1),
        (PAGE, {"n": -5}, 2 + 20 + 1),
        (PAGE, {"n": 10**30, "ids": [1] * 1000}, 2 + 100 + 250),
        (PAGE, {"n": "many", "ids": "a"}, 2 + 100 + 1),
        (PAGE, {"n": True}, 2 + 100 + 1),
        (PAGE, {"n": [1], "ids": {"a": 1}}, 2 + 100 + 1),
        (SEARCH, {}, 7 + 7),
        (SEARCH, {"t": None, "f": None}, 7 + 7),
        (SEARCH, {"t": "x", "f": {"text": "y"}}, 17 + 17),
        (SEARCH, {"f": {"also": {"text": "y"}, "any": [{"text": "a"}, {"text": "b"}, {}]}}, 37 + 7),
        (SEARCH, {"f": "wrong"}, 7 + 7),
        (CHOICE, {"a": True}, 1 + 3),
        (CHOICE, {"a": True, "b": False}, 2 + 3),
        (CHOICE, {"a": False, "b": False}, 3),
        (CHOICE, {}, 3),
    ],
)
def test_variables_count_by_what_they_hold(text, variables, expected):
    assert requested(text, variables) == expected
    assert sum(operation(text).price.by_field(variables).values()) == expected


def test_a_price_that_no_variable_changes_is_a_number():
    price = operation(
        "query ($id: ID, $g: String) { book(id: $id) { id } books(filter: {genre: $g}) { nodes { id } } }"
    ).price
    assert price.requested({"id": 1}) == 1 + 2 + 20
    assert [each.requested for each in price._variants.values()] == [23]


def test_combinations_of_conditions_are_bounded():
    names = [f"v{n}" for n in range(8)]
    fields = " ".join(f"a{n}: heavy @include(if: ${name})" for n, name in enumerate(names))
    price = operation(f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}").price
    for mask in range(256):
        given = {name: bool(mask >> n & 1) for n, name in enumerate(names)}
        assert price.requested(given) == 3 * mask.bit_count()
    assert len(price._variants) <= 16


def test_each_field_is_explained_by_its_path():
    text = """query ($n: Int) {
        books(first: $n) { totalCount nodes { author { name } pages(first: 2) { image { url } } } }
        found { ... on Book { author { name } } ... on Author { name } }
    }"""
    assert operation(text).price.by_field({"n": 3}) == {
        "books": 2,
        "books.totalCount": 5,
        "books.nodes": 3,
        "books.nodes.author": 3,
        "books.nodes.pages": 6,
        "books.nodes.pages.image": 6,
        "found": 5,
        "found.author": 5,
    }


def test_operations_of_a_document_are_priced_apart():
    text = "query A { book { id } } query B { books(first: 7) { nodes { id } } }"
    assert [operation(text, name).price.requested() for name in "AB"] == [1, 9]


def test_a_schema_that_says_nothing_is_priced_by_guesses():
    store = DocumentStore(build_schema("type Query { all(first: Int): [Query!]! one: Query leaf: [Int] }"))
    chosen = store.get("{ all(first: 3) { one { leaf } } }").operation(None)
    assert isinstance(chosen, Operation)
    assert chosen.price.requested() == 10 * 2


def test_directives_of_others_that_look_alike_are_read_as_far_as_they_can_be():
    store = DocumentStore(
        build_schema("""
            directive @cost(complexity: Int, weight: Float) on FIELD_DEFINITION
            type Query { a: Int @cost(complexity: 7) b: Int @cost(weight: 1.5) c: Int @cost(weight: -4) }
        """)
    )
    chosen = store.get("{ a b c }").operation(None)
    assert isinstance(chosen, Operation)
    assert chosen.price.requested() == 2


def test_what_costs_too_much_is_refused_with_both_figures():
    price = operation("query ($n: Int) { books(first: $n) { nodes { id } } }").price
    assert affordable(price, {"n": 8}, at_most=10) == 10
    refused = affordable(price, {"n": 9}, at_most=10)
    assert isinstance(refused, Failure)
    assert refused.code == "COST_EXCEEDED"
    assert refused.extensions == {"requestedQueryCost": 11, "maximumQueryCost": 10}
    assert refused.message.startswith("The operation may cost 11 points, and the limit is 10; ask for fewer")


def test_prices_end_somewhere():
    text = "{ book" + "{ editions" * 10 + "{ id }" + "}" * 10 + "}"
    assert requested(text) == sum(4**n for n in range(11))
    pages = "{ books(first: 100) { nodes { author { books" + "{ author { books" * 3 + "{ id }" + "} }" * 3 + "} } } }"
    assert requested(pages) > 100 * 7**4
    wide = build_schema("""
        directive @listSize(assumedSize: Int) on FIELD_DEFINITION
        type Query { q: [Query!]! @listSize(assumedSize: 1000) }
    """)
    chosen = DocumentStore(wide).get("{ q" * 11 + "{ __typename }" + "}" * 11).operation(None)
    assert isinstance(chosen, Operation)
    assert chosen.price.requested() == MOST


def test_open_types_within_each_other_are_bounded():
    """Which fields meet at a place depends on the types of all places above it: 4^8 ways here."""
    fields = "i: I " + " ".join(f"x{n}: I" for n in range(4))
    kinds = " ".join(f"type T{n} implements I {{ {fields} }}" for n in range(4))
    store = DocumentStore(build_schema(f"interface I {{ {fields} }} type Query {{ i: I }} {kinds}"))
    body = "__typename"
    for below in range(8):
        chains = "".join(
            f"... on T{n} {{ i {{ {'i {' * below} x{n} {{ __typename }} {'}' * below} }} }} " for n in range(4)
        )
        body = f"i {{ {body} }} {chains}"
    document = store.get(f"{{ i {{ {body} }} }}")
    assert document.failures == ()
    chosen = document.operation(None)
    assert isinstance(chosen, Operation)
    started = time.process_time()
    refused = affordable(chosen.price, None, at_most=MOST)
    assert time.process_time() - started < 0.1
    assert isinstance(refused, Failure)
    assert (refused.code, refused.extensions) == ("LIMIT_EXCEEDED", {"limit": "possible_types"})


def test_the_documents_here_are_valid():
    for text in (PAGE, SEARCH, CHOICE):
        assert validate(SCHEMA, parse(text)) == []
