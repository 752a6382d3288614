"""A server that serves the documents of a file and no others."""

import dataclasses
import json

import httpx
import pytest

from core.errors import ConfigurationError
from server.app import create_app
from server.graphql.persisted import hash_of
from server.graphql.registered import registered_documents
from tests.servers import served

SHOP = "{ shop { slug } }"


@pytest.mark.parametrize(
    "content",
    [
        {"1f0e": SHOP},
        {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "x", "body": SHOP}]},
    ],
)
async def test_only_the_documents_of_the_file_are_served(settings, shop, tmp_path, content):
    path = tmp_path / "documents.json"
    path.write_text(json.dumps(content))
    locked = dataclasses.replace(settings, registered_documents=path)

    async with served(create_app(locked)) as url, httpx.AsyncClient(headers={"Galleria-Shop": shop.slug}) as client:
        by_id = await client.post(f"{url}/graphql", json={"documentId": f"sha256:{hash_of(SHOP)}"})
        by_text = await client.post(f"{url}/graphql", json={"query": SHOP})
        other = await client.post(f"{url}/graphql", json={"query": "{ shop { name } }"})

    assert by_id.json()["data"] == by_text.json()["data"] == {"shop": {"slug": shop.slug}}
    assert other.status_code == 403
    assert other.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"format": "apollo-persisted-query-manifest"}', "\xff"])
def test_a_file_of_something_else_is_refused_at_the_start(tmp_path, text):
    path = tmp_path / "documents.json"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(ConfigurationError, match=r"is no JSON object of documents"):
        registered_documents(path)
