"""`python -m server seed`: makes the demo shops, small or large."""

import asyncio
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.database import Database
from core.errors import ConfigurationError
from core.settings import Settings, load_settings
from models import shops
from server import demo, postgresql
from server.cli.databases import opened
from server.demo.profiles import PROFILES, SIZES, Profile, Size

app = typer.Typer()

_SIZES = ", ".join(f"{name} {count:,}" for name, count in SIZES.items())
_SLUGS = ", ".join(profile.slug for profile in PROFILES)


def _known_shops(slugs: list[str] | None) -> list[str] | None:
    for slug in slugs or ():
        if all(profile.slug != slug for profile in PROFILES):
            raise typer.BadParameter(f"There is no demo shop {slug!r}; choose {_SLUGS}.")
    return slugs


@app.command()
def seed(
    *,
    size: Annotated[Size, typer.Option(help=f"Products of the shop demo: {_SIZES}.")] = Size.S,
    shop: Annotated[
        list[str] | None, typer.Option(callback=_known_shops, help=f"Make this shop alone: {_SLUGS}. May be repeated.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete the shops first, with all they have.")] = False,
) -> None:
    """Make the demo shops, the same each time."""
    profiles = [profile for profile in PROFILES if not shop or profile.slug in shop]
    with postgresql.provided(load_settings(os.environ)) as settings:
        asyncio.run(_seed(settings, profiles, size, is_replacing=replace))


async def _seed(settings: Settings, profiles: list[Profile], size: Size, *, is_replacing: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    async with opened(settings) as database:
        if not is_replacing:
            await _refuse_existing(database, profiles)
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
            await demo.make_shops(database, postgresql.owner_url(settings), profiles, size, progress)
    typer.echo(f"Made {', '.join(profile.slug for profile in profiles)}.")


async def _refuse_existing(database: Database, profiles: list[Profile]) -> None:
    for profile in profiles:
        if await database.fetch_platform(shops.shop_by_slug, slug=profile.slug):
            raise ConfigurationError(
                f"There is a shop {profile.slug} already: add --replace to delete it, with all it has, and make it "
                "anew, or name other shops by --shop."
            )
