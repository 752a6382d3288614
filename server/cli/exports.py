"""`python -m server export`: writes products to a file."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.errors import ConfigurationError, FileRefused
from core.settings import Settings, load_settings
from resolvers.transfer.exports import export_products
from server import postgresql
from server.cli.databases import opened
from server.cli.tenants import STATEMENT_SECONDS, tenant_of

app = typer.Typer(help="Write data to files.", no_args_is_help=True)


@app.callback()
def exports() -> None:
    """Write data to files."""


@app.command("products")
def products(
    file: Annotated[Path, typer.Argument(help="File to write, in the columns of Shopify's product CSV.")],
    *,
    shop: Annotated[str, typer.Option(help="The shop, by its slug.")],
) -> None:
    """Export all products; an import of the file gives the same products."""
    with postgresql.provided(load_settings(os.environ)) as settings:
        try:
            count = asyncio.run(_export(settings, file, shop))
        except FileRefused as error:
            raise ConfigurationError(str(error)) from None
        except OSError as error:
            raise ConfigurationError(f"Cannot write {file}: {error.strerror}. Give another file.") from None
    typer.echo(f"Exported {count:,} products to {file}.")


async def _export(settings: Settings, file: Path, shop: str) -> int:
    """Write the file beside its place first, so that it is whole or not there."""
    partial = file.with_name(f"{file.name}.partial")
    count = 0
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    async with opened(settings) as database:
        tenant = await tenant_of(database, shop, statement_timeout_seconds=STATEMENT_SECONDS)
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("Exporting")

            def progress(done: int) -> None:
                nonlocal count
                count = done
                bar.update(task, description=f"Exporting: {done:,} products")

            try:
                with partial.open("w", encoding="utf-8", newline="") as written:
                    async for text in export_products(tenant, progress=progress):
                        written.write(text)
                partial.replace(file)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    partial.unlink()
                await tenant.close()
    return count
