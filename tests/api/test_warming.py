"""What is warmed is there when somebody asks for the first time."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests import factories
from tests.api.caching import process
from tests.api.catalogues import catalogue

ROOT = Path(__file__).parents[2]
LISTING = "{ products(first: 2, sort: NAME_ASC) { nodes { name } } }"
BY_CATEGORY = "query ($category: ID!) { products(first: 2, filter: { category: $category }) { nodes { name } } }"
DETAIL = "query ($slug: String!) { product(slug: $slug) { name } }"
STAFF = "{ warehouses { nodes { name } } }"


async def run(settings, *arguments, **environ):
    environ = os.environ | {
        "DATABASE_URL": settings.database_url.value,
        "GALLERIA_ENVIRONMENT": "development",
        "GALLERIA_DATA": str(settings.data),
        "REDIS_URL": settings.redis_url.value,
        **environ,
    }
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server", "warm", *map(str, arguments)),
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complained = await command.communicate()
    return command.returncode, printed.decode(), complained.decode()


@pytest.fixture
def documents(tmp_path):
    file = tmp_path / "documents.json"
    file.write_text(json.dumps({str(n): text for n, text in enumerate((LISTING, BY_CATEGORY, DETAIL, STAFF))}))
    return file


async def test_registered_queries_are_kept_before_anybody_asks(settings, database, documents):
    made = await catalogue(database, await factories.shop(database), 2)
    code, printed, complained = await run(settings, "--shop", made.shop.slug, "--documents", documents)
    categories = len(made.rows["category"])
    assert (code, printed) == (0, f"Kept {categories + 1} of {categories + 2} answers of {made.shop.slug}.\n"), (
        complained
    )
    async with process(settings) as server:
        ask = server.of(made)
        listing = await ask(LISTING)
        by_category = await ask(BY_CATEGORY, {"category": made.id_of("Category")})
    assert listing.body["extensions"]["cache"]["hit"]
    assert by_category.body["extensions"]["cache"]["hit"]
    assert listing.data == {"products": {"nodes": [{"name": "Product 0"}, {"name": "Product 1"}]}}


async def test_what_is_missing_is_named(settings, shop, documents):
    off = await run(settings, "--shop", shop.slug, "--documents", documents, GALLERIA_RESPONSE_CACHE="off")
    assert off[2].startswith("galleria: Set GALLERIA_RESPONSE_CACHE to on")
    code, _, complained = await run(settings, "--shop", "nobody", "--documents", documents)
    assert (code, complained.splitlines()[-1]) == (
        2,
        "galleria: There is no shop 'nobody': see `python -m server shops list`.",
    )
    assert (await run(settings, "--shop", "nobody"))[2].startswith("galleria: Give a file of documents by --documents")
    without_redis = await run(settings, "--shop", "nobody", "--documents", documents, REDIS_URL="")
    assert without_redis[2].startswith("galleria: Set REDIS_URL")
