"""`python -m server warm`: makes answers before anybody asks for them."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from core.errors import ConfigurationError
from core.settings import Settings, load_settings
from engine.documents import DocumentStore
from schema.build import build
from server import postgresql
from server.cli.databases import opened
from server.graphql.registered import registered_documents
from server.metrics import create_metrics
from server.response_cache import cached_responses
from server.tenancy import ShopDirectory
from server.warming import requests_of, warm

app = typer.Typer()


@app.command("warm")
def warm_answers(
    *,
    shop: Annotated[str, typer.Option(help="The shop, by its slug.")],
    documents: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="JSON file of GraphQL documents; GALLERIA_REGISTERED_DOCUMENTS by default.",
        ),
    ] = None,
) -> None:
    """Keep the answers to registered queries in Redis; one with a variable $category for each category."""
    with postgresql.provided(load_settings(os.environ)) as settings:
        kept, asked = asyncio.run(_warm(settings, shop, documents or settings.registered_documents))
    typer.echo(f"Kept {kept:,} of {asked:,} answers of {shop}.")


async def _warm(settings: Settings, slug: str, documents: Path | None) -> tuple[int, int]:
    if documents is None:
        raise ConfigurationError("Give a file of documents by --documents, or set GALLERIA_REGISTERED_DOCUMENTS.")
    if settings.redis_url is None:
        raise ConfigurationError("Set REDIS_URL: what is warmed has to be where the servers find it.")
    texts = list(registered_documents(documents).values())
    async with opened(settings) as database:
        directory = ShopDirectory(database)
        shop = await directory.by_slug(slug)
        if shop is None:
            raise ConfigurationError(f"There is no shop {slug!r}: see `python -m server shops list`.")
        store = DocumentStore(build())
        cached = cached_responses(settings, store, database, create_metrics(), directory=directory)
        if cached is None:
            raise ConfigurationError("Set GALLERIA_RESPONSE_CACHE to on: what is warmed has to be kept.")
        try:
            requests = await requests_of(database, shop, store, texts)
            with Progress(console=Console(stderr=True)) as bar:
                shown = bar.track(requests, description="Warming")
                kept = [await warm(database, shop, cached.responses, each) for each in shown]
        finally:
            await cached.close()
    return len(requests) - kept.count(None), len(requests)
