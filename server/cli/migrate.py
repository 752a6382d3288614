"""`python -m server migrate`: brings the database to the schema of this release."""

import asyncio
import os
from typing import Annotated

import typer

from core.settings import load_settings
from server import postgresql, serve

app = typer.Typer()


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="The revision to migrate up to.")] = "head",
) -> None:
    """Migrate the database; does nothing where it is up to date."""
    with postgresql.provided(load_settings(os.environ, without={"token_keys", "token_issuer"})) as settings:
        asyncio.run(serve.migrate(settings, to))
    typer.echo(f"Migrated to {to}.")
