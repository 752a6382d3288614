"""`python -m server migrate`: brings the database to the schema of this release."""

import asyncio
import os
from typing import Annotated

import typer

from core.settings import Settings, load_settings
from server import migrating, postgresql

app = typer.Typer()


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="The revision to migrate up to.")] = "head",
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds to wait for the database and its roles, where they are made meanwhile."),
    ] = 0,
) -> None:
    """Migrate the database; does nothing where it is up to date, or newer than this release."""
    with postgresql.provided(load_settings(os.environ, without={"token_keys", "token_issuer"})) as settings:
        asyncio.run(_migrate(settings, to, wait_seconds=wait))


async def _migrate(settings: Settings, revision: str, *, wait_seconds: float) -> None:
    if wait_seconds and not await migrating.wait(settings, wait_seconds, _report):
        raise typer.Exit(1)
    typer.echo(await migrating.migrate(settings, revision))


def _report(sentence: str) -> None:
    typer.echo(f"galleria: {sentence}", err=True)
