"""The operations that are measured: one document for all servers but those that need their own."""

from pathlib import Path

import orjson
import pytest
from graphql import build_schema, parse, validate

from bench.contenders import DOCUMENTS
from bench.operations import NAMES, Request, body, documents

SCHEMA = Path(__file__).parent.parent.parent / "schema" / "schema.graphql"


def response_keys(selections):
    """Return the shape of what a selection answers."""
    return {
        (each.alias or each.name).value: each.selection_set and response_keys(each.selection_set.selections)
        for each in selections
    }


def shape(document):
    return response_keys(parse(document).definitions[0].selection_set.selections)


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_valid(name):
    assert validate(build_schema(SCHEMA.read_text()), parse(documents()[name])) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mutation"])
@pytest.mark.parametrize("server", DOCUMENTS)
def test_a_document_of_its_own_asks_for_the_same(server, name):
    assert shape(documents(DOCUMENTS[server])[name]) == shape(documents()[name])


def test_a_body_is_one_line_and_names_its_operation():
    request = Request("tiny", "demo", "token", {"slug": "a\nb"})

    sent = body(request, documents()["tiny"])

    assert b"\n" not in sent
    assert b"\t" not in sent
    assert orjson.loads(sent) == {
        "query": "query Tiny($slug: String!) { product(slug: $slug) { id name } }",
        "operationName": "Tiny",
        "variables": {"slug": "a\nb"},
    }
