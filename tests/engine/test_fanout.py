"""How many objects an operation may ask for."""

import time

import pytest
from graphql import build_schema, parse, validate

from engine.documents import DocumentStore
from engine.errors import Failure
from engine.fanout import objects_of
from engine.structure import Limits
from schema.build import build

SCHEMA = build_schema("""
    interface Node { id: ID! }
    interface Named { name: String, maker: Maker }
    union Found = Product | Maker
    type Query {
        product: Product
        products(first: Int, last: Int): ProductConnection!
        few(first: Int = 5): ProductConnection
        nodes(ids: [ID!]!): [Node]!
        found: [Found!]!
        named: Named
    }
    type Mutation {
        productBulkUpdate(changes: [Change!]!): ProductBulkPayload!
        productReorder(ids: [ID!]!): Product!
    }
    input Change { id: ID! }
    type ProductBulkPayload { results: [Product!]! applied: Int! }
    type ProductConnection {
        nodes: [Product!]! edges: [ProductEdge!]! pageInfo: PageInfo! totalCount: Int! facets: [Facet!]!
    }
    type ProductEdge { cursor: String! node: Product! }
    type PageInfo { hasNextPage: Boolean! }
    type Facet { values: [Maker!]! }
    type Product implements Node & Named {
        id: ID! name: String tags: [String!]! maker: Maker images: [Image!]! variants(first: Int! = 10): [Variant!]!
    }
    type Maker implements Node & Named { id: ID! name: String maker: Maker products(first: Int): ProductConnection! }
    type Variant implements Node { id: ID! }
    type Image { url: String }
""")


def objects(text: str, variables: dict | None = None) -> int:
    tree = parse(text)
    assert validate(SCHEMA, tree) == []
    return objects_of(SCHEMA, tree, tree.definitions[0], variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ product { id name tags } }", 1),
        ("{ product { maker { id } } }", 2),
        ("{ product { id } other: product { id } }", 2),
        ("{ products(first: 3) { nodes { id } } }", 3),
        ("{ products(first: 3) { edges { cursor node { id } } } }", 3),
        ("{ products(first: 3) { pageInfo { hasNextPage } totalCount } }", 0),
        ("{ products(first: 3) { nodes { maker { id } } pageInfo { hasNextPage } } }", 6),
        ("{ products(last: 4) { nodes { id } } }", 4),
        ("{ products(first: 3, last: 4) { nodes { id } } }", 4),
        ("{ products(first: 3, last: null) { nodes { id } } }", 3),
        ("{ products(first: 0) { nodes { id } } }", 0),
        ("{ products(first: 100) { nodes { id } } }", 100),
        ("{ products(first: 101) { nodes { id } } }", 100),
        ("{ products(first: -1) { nodes { id } } }", 100),
        ("query ($n: Int = 1) { products(first: $n) { nodes { id } } }", 100),
        ("{ products { nodes { id } } }", 20),
        ("{ products(first: null) { nodes { id } } }", 20),
        ("{ few { nodes { id } } }", 5),
        ("{ product { variants { id } } }", 11),
        ("{ product { variants(first: 2) { id } } }", 3),
        ("{ product { images { url } } }", 11),
        ("{ products(first: 2) { facets { values { id } } } }", 22),
        ('{ nodes(ids: ["a", "b"]) { id } }', 2),
        ('{ nodes(ids: "a") { id } }', 1),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", 250),
        ("mutation ($c: [Change!]!) { productBulkUpdate(changes: $c) { results { id } applied } }", 250),
        ('mutation { productReorder(ids: ["a", "b"]) { id } }', 1),
        ("{ found { __typename } }", 10),
        ("{ named { name } }", 1),
        ("{ named { ... on Product { variants(first: 3) { id } } ... on Maker { maker { id } } } }", 4),
        ("{ found { ... on Maker { maker { maker { id } } } ... on Product { maker { id } } } }", 30),
        ("{ found { ... on Named { maker { id } } ... on Node { id } } }", 20),
        ("{ found { ... @include(if: true) { ... on Product { maker { id } } } } }", 20),
        ("{ product { ...A } other: product { ...A } } fragment A on Product { variants(first: 4) { id } }", 10),
        ("{ __typename __schema { types { fields { name } } } }", 0),
        ('{ __type(name: "Query") { fields { type { name } } } product { id } }', 1),
    ],
)
def test_objects_are_counted(text, expected):
    assert objects(text) == expected


PAGE = 'query ($n: Int = 4, $ids: [ID!]! = ["x"]) { products(first: $n) { nodes { id } } nodes(ids: $ids) { id } }'


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (None, 350),
        ({}, 5),
        ({"n": 7, "ids": ["a"]}, 8),
        ({"ids": ["a", "b"]}, 6),
        ({"n": None, "ids": []}, 20),
        ({"n": 1_000, "ids": []}, 100),
        ({"n": -1, "ids": "a"}, 101),
        ({"n": "many", "ids": ["a"]}, 101),
    ],
)
def test_variables_are_counted_by_what_they_hold(variables, expected):
    assert objects(PAGE, variables) == expected


def test_operations_are_counted_apart():
    text = "query A { product { id } } query B { products(first: 7) { nodes { id } } }"
    tree = parse(text)
    assert [objects_of(SCHEMA, tree, operation) for operation in tree.definitions] == [1, 7]


def test_fragments_that_double_are_walked_once():
    fragments = "".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }}" for n in range(20))
    tree = parse("{ product { ...F0 } }" + fragments + "fragment F20 on Product { maker { id } }")
    started = time.process_time()
    assert objects_of(SCHEMA, tree, tree.definitions[0]) == 1 + 2**20
    # A millisecond; six seconds where each is walked as often as it is spread.
    assert time.process_time() - started < 1


def test_the_deepest_nesting_of_open_types_is_walked():
    depth = 60
    text = "{ named {" + "... on Named { ... on Node {" * (depth // 2) + "id" + "} }" * (depth // 2) + "} }"
    assert refusal(DocumentStore(SCHEMA), text) is None


def refusal(store: DocumentStore, text: str, name: str | None = None, variables: dict | None = None) -> Failure | None:
    document = store.get(text)
    assert document.failures == ()
    operation = document.operation(name)
    assert not isinstance(operation, Failure)
    return store.oversize(document, operation, variables)


def test_an_operation_beyond_the_limit_is_refused_and_others_of_its_document_are_not():
    store = DocumentStore(SCHEMA, limits=Limits(objects=6))
    text = "query A { products(first: 6) { nodes { id } } } query B { products(first: 7) { nodes { id } } }"
    assert refusal(store, text, "A") is None
    refused = refusal(store, text, "B")
    assert refused is not None
    assert (refused.code, refused.extensions) == ("LIMIT_EXCEEDED", {"limit": "objects"})
    assert refused.message.startswith("The operation may ask for 7 objects, and the limit is 6; ask for fewer")


def test_the_same_document_is_refused_by_what_its_variables_ask_for():
    store = DocumentStore(SCHEMA, limits=Limits(objects=6))
    text = "query ($n: Int!) { products(first: $n) { nodes { id } } }"
    assert refusal(store, text, variables={"n": 6}) is None
    assert refusal(store, text, variables={"n": 7}) is not None


CIRCLE = (
    "{collections(first:100){nodes{products(first:100){nodes{collections(first:50){products(first:100)"
    "{nodes{collections(first:50){products(first:100){nodes{id}}}}}}}}}}}"
)
LISTING = """{
    products(first: 24) {
        edges { node { category { name } media(first: 1) { url } variants(first: 3) { sku } } }
        pageInfo { hasNextPage }
        facets { values { count } }
    }
}"""


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        (CIRCLE, False),
        ("{ products(first: 100) { nodes { variants(first: 100) { id } } } }", True),
        ("{ products(first: 100) { nodes { variants(first: 100) { id product { id } } } } }", False),
        (LISTING, True),
    ],
)
def test_circles_of_the_served_schema_are_refused_and_its_pages_are_not(text, passes):
    assert (refusal(DocumentStore(build()), text) is None) is passes
