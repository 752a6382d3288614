"""`python -m server shops`: opening shops, and listing them."""

import asyncio

import pytest
from sqlalchemy import select

from models.inventory import ChannelWarehouse, Warehouse
from models.shops import Channel, shop_by_slug
from server.cli import main
from tests import factories


@pytest.fixture
def command(postgres, monkeypatch, capsys, tmp_path):
    """Runs a command line; returns exit code, standard output and error."""
    monkeypatch.setenv("GALLERIA_ENVIRONMENT", "development")
    monkeypatch.setenv("GALLERIA_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", postgres.app_url)
    monkeypatch.setenv("GALLERIA_OWNER_DATABASE_URL", postgres.owner_url)
    # Tables are as wide as the terminal.
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            await asyncio.to_thread(main, ("shops", *arguments))
        printed = capsys.readouterr()
        return end.value.code, printed.out, " ".join(printed.err.replace("│", " ").split())

    return run


async def test_a_shop_is_opened_with_a_channel_and_a_warehouse(database, command):
    slug = factories.unique("boutique")
    assert await command("create", slug, "--name", "Boutique", "--currency", "kwd", "--locale", "pt-BR") == (
        0,
        f"Opened {slug}.\n",
        "",
    )
    [found] = await database.fetch_platform(shop_by_slug, slug=slug)
    assert (found.name, found.status, found.default_currency, found.default_locale) == (
        "Boutique",
        "ACTIVE",
        "KWD",
        "pt-BR",
    )
    async with database.of_tenant(found.id).write() as transaction:
        [channel] = await transaction.execute(select(Channel))
        [warehouse] = await transaction.execute(select(Warehouse))
        [link] = await transaction.execute(select(ChannelWarehouse))
    assert (channel.id, channel.slug, channel.currency, channel.is_default) == (
        found.default_channel_id,
        "default",
        "KWD",
        True,
    )
    assert (warehouse.slug, warehouse.is_active) == ("main", True)
    assert (link.channel_id, link.warehouse_id) == (channel.id, warehouse.id)


async def test_a_name_is_made_from_the_slug(database, command):
    slug = factories.unique("corner-store")
    assert (await command("create", slug))[0] == 0
    [found] = await database.fetch_platform(shop_by_slug, slug=slug)
    assert found.name.startswith("Corner Store ")
    assert (found.default_currency, found.default_locale) == ("USD", "en")


async def test_a_slug_is_taken_once(database, shop, command):
    assert await command("create", shop.slug, "--name", "Other") == (
        2,
        "",
        f"galleria: There is a shop '{shop.slug}' already; choose another slug.",
    )
    [found] = await database.fetch_platform(shop_by_slug, slug=shop.slug)
    assert (found.id, found.name) == (shop.id, shop.name)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("My_Shop",), "'My_Shop' is no slug: use small letters, digits and single hyphens"),
        (("a\n",), "is no slug"),
        (("a" * 121,), "120 characters at most"),
        (("good", "--currency", "XYZ"), "'XYZ' is no currency of ISO 4217, such as EUR."),
        (("good", "--locale", "en_US"), "'en_US' is no language tag, such as en or pt-BR."),
    ],
)
async def test_what_cannot_be_a_shop_is_refused(database, command, arguments, reason):
    code, out, error = await command("create", *arguments)
    assert (code, out) == (2, "")
    assert reason in error
    assert not await database.fetch_platform(shop_by_slug, slug=arguments[0])


async def test_all_shops_are_listed(database, command):
    first = await factories.shop(database, currency="EUR", locale="de")
    second = await factories.shop(database, currency="JPY", locale="ja")
    code, out, _ = await command("list")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["slug", "name", "status", "currency", "locale"]
    assert [first.slug, *first.name.split(), "ACTIVE", "EUR", "de"] in lines
    assert [second.slug, *second.name.split(), "ACTIVE", "JPY", "ja"] in lines


async def test_only_the_owner_may_list(postgres, command, monkeypatch):
    monkeypatch.setenv("GALLERIA_OWNER_DATABASE_URL", postgres.app_url)
    code, out, error = await command("list")
    assert (code, out) == (2, "")
    assert error.startswith("galleria: Set GALLERIA_OWNER_DATABASE_URL to the role that owns the tables")
