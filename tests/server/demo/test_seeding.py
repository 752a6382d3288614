"""How the demo shops are made: on the first start, and by `python -m server seed`."""

import asyncio
import dataclasses
import sys

import pytest
from rich.progress import Progress
from sqlalchemy import delete, update

from core.errors import ConfigurationError
from core.settings import load_settings
from models.shops import Domain, Shop, shop_by_slug
from server.demo import ensure_demo
from server.demo.profiles import PROFILES
from server.demo.rows import TABLES as COPIED
from server.demo.seeding import STEPS, frame_of, is_complete, remove_shop, seed_shop, take_statistics
from tests.server.demo.reading import SLUGS, fingerprint, value


async def test_shops_are_the_same_each_time_and_in_each_process(demo, environment):
    before = {slug: await fingerprint(demo, slug) for slug in SLUGS}
    for table in COPIED.values():
        assert before["demo"][table][0] > 0, table
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "seed", "--replace"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert (process.returncode, printed.decode()) == (0, "Made demo-jp, demo-kw, demo.\n")
    assert {slug: await fingerprint(demo, slug) for slug in SLUGS} == before


async def test_several_batches_fit_together(demo, cluster):
    count = 1_010
    other = dataclasses.replace(PROFILES[0], slug="demo-large")
    steps = []
    await seed_shop(demo, cluster.owner_url, frame_of(other, count), steps.append)
    assert steps == [1_000, 10] * STEPS
    assert await value(demo, other.slug, "SELECT count(*) FROM product") == count
    assert await value(demo, other.slug, "SELECT count(*) FROM variant") == 3 * count
    assert await value(demo, other.slug, "SELECT count(*) FROM product_listing") == 2 * count
    assert await value(demo, other.slug, "SELECT count(DISTINCT product_id) FROM product_relation") == count
    await remove_shop(demo, other.slug)
    assert not await is_complete(demo, other.slug)


async def test_shops_are_not_made_twice(demo, environment, command):
    before = {slug: await fingerprint(demo, slug) for slug in SLUGS}
    with Progress(disable=True) as progress:
        assert not await ensure_demo(load_settings(environment), progress)
    code, out, error = await command("seed", "--size", "M")
    assert (code, out) == (2, "")
    assert error == (
        "galleria: There is a shop demo-jp already: add --replace to delete it, with all it has, and make it anew, "
        "or name other shops by --shop.\n"
    )
    assert {slug: await fingerprint(demo, slug) for slug in SLUGS} == before


async def test_an_interrupted_seeding_is_completed(demo, environment):
    before = await fingerprint(demo, "demo")
    [found] = await demo.fetch_platform(shop_by_slug, slug="demo")
    async with demo.of_tenant(found.id).write() as transaction:
        await transaction.execute(delete(Domain))
        await transaction.execute(update(Shop).where(Shop.id == found.id).values(status="CLOSED"))
        await transaction.commit()
    assert not await is_complete(demo, "demo")
    with Progress(disable=True) as progress:
        assert await ensure_demo(load_settings(environment), progress)
        assert [task.description for task in progress.tasks] == ["demo"]
        assert progress.finished
    assert await fingerprint(demo, "demo") == before


async def test_a_shop_that_its_owner_closed_is_left_alone(demo, environment):
    [found] = await demo.fetch_platform(shop_by_slug, slug="demo")
    for status in ("CLOSED", "ACTIVE"):
        async with demo.of_tenant(found.id).write() as transaction:
            await transaction.execute(update(Shop).where(Shop.id == found.id).values(status=status))
            await transaction.commit()
        with Progress(disable=True) as progress:
            assert not await ensure_demo(load_settings(environment), progress)


async def test_one_shop_can_be_made_anew(demo, command):
    before = await fingerprint(demo, "demo-kw")
    code, out, _ = await command("seed", "--shop", "demo-kw", "--replace")
    assert (code, out) == (0, "Made demo-kw.\n")
    assert await fingerprint(demo, "demo-kw") == before


async def test_an_unknown_demo_shop_is_refused(command):
    code, out, error = await command("seed", "--shop", "demo-fr")
    assert (code, out) == (2, "")
    assert "There is no demo shop 'demo-fr'; choose demo-jp, demo-kw, demo." in " ".join(error.split())


async def test_statistics_need_the_owner(cluster):
    with pytest.raises(ConfigurationError, match="GALLERIA_OWNER_DATABASE_URL"):
        await take_statistics(cluster.app_url)


async def test_a_database_without_tables_is_told_apart(cluster, command, monkeypatch):
    empty = cluster.app_url.rsplit("/", 1)[0] + "/postgres"
    monkeypatch.setenv("DATABASE_URL", empty)
    code, out, error = await command("seed")
    assert (code, out) == (2, "")
    assert error.startswith("galleria: The database is at revision none and this release needs ")
    assert error.endswith(": run python -m server migrate first.\n")
