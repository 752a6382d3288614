"""`python -m server shops`: opens shops and lists them."""

import asyncio
import os
import re
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from core.errors import BadUserInput, ConfigurationError
from core.money import EXPONENTS
from core.settings import Settings, load_settings
from models.base import LONGEST_SLUG, SLUG_PATTERN
from resolvers.openings import Opening, open_shop
from server import postgresql
from server.cli.databases import opened

app = typer.Typer(help="Shops of this installation.", no_args_is_help=True)

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

# Shops are hidden from each other and from the owner of the tables too; this role alone reads across them.
_READER = "galleria_definer"
_COLUMNS = ("slug", "name", "status", "default_currency", "default_locale")


def _slug(text: str) -> str:
    if not re.fullmatch(SLUG_PATTERN, text) or len(text) > LONGEST_SLUG:
        raise typer.BadParameter(
            f"{text!r} is no slug: use small letters, digits and single hyphens, {LONGEST_SLUG} characters at most."
        )
    return text


def _currency(text: str) -> str:
    if text.upper() not in EXPONENTS:
        raise typer.BadParameter(f"{text!r} is no currency of ISO 4217, such as EUR.")
    return text.upper()


def _locale(text: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no language tag, such as en or pt-BR.")
    return text


@app.callback()
def shops() -> None:
    """Shops of this installation."""


@app.command()
def create(
    slug: Annotated[str, typer.Argument(callback=_slug, help="Name in requests, such as my-shop.")],
    *,
    name: Annotated[str | None, typer.Option(help="Name for people. Unset, made from the slug.")] = None,
    currency: Annotated[str, typer.Option(callback=_currency, help="Currency of its first channel.")] = "USD",
    locale: Annotated[str, typer.Option(callback=_locale, help="Language of its own texts.")] = "en",
) -> None:
    """Open a shop with a channel `default` that sells from a warehouse `main`."""
    opening = Opening(slug=slug, name=name or slug.replace("-", " ").title(), currency=currency, locale=locale)
    with postgresql.provided(load_settings(os.environ)) as settings:
        asyncio.run(_create(settings, opening))
    typer.echo(f"Opened {slug}.")


@app.command("list")
def list_shops() -> None:
    """List all shops."""
    with postgresql.provided(load_settings(os.environ)) as settings:
        rows = asyncio.run(_all(settings))
    table = Table("slug", "name", "status", "currency", "locale", box=None)
    for row in rows:
        table.add_row(*(row[column] for column in _COLUMNS))
    Console().print(table)


async def _create(settings: Settings, opening: Opening) -> None:
    async with opened(settings) as database:
        try:
            await open_shop(database, opening)
        except BadUserInput as error:
            raise ConfigurationError(error.message) from None


async def _all(settings: Settings) -> list[asyncpg.Record]:
    async with opened(settings):
        try:
            connection = await asyncpg.connect(postgresql.owner_url(settings), server_settings={"role": _READER})
        except asyncpg.InsufficientPrivilegeError:
            raise ConfigurationError(
                "Set GALLERIA_OWNER_DATABASE_URL to the role that owns the tables: shops are hidden from others."
            ) from None
        try:
            rows: list[asyncpg.Record] = await connection.fetch(
                f"SELECT {', '.join(_COLUMNS)} FROM shop ORDER BY slug"  # noqa: S608  (names of ours)
            )
        finally:
            await connection.close()
    return rows
