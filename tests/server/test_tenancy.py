"""Which shop a request is for, and how seldom the database is asked."""

import asyncio
import dataclasses
import gc
import uuid

import pytest
from sqlalchemy import update

from core.errors import Forbidden, ShopNotFound, ShopSuspended
from models import shops as rows
from resolvers.context import Shop
from server import tenancy
from server.tenancy import Naming, ShopDirectory, resolve_shop
from tests import factories


def known_shop(slug, status="ACTIVE"):
    values = dict.fromkeys(field.name for field in dataclasses.fields(Shop))
    return Shop(**{**values, "id": uuid.uuid5(uuid.NAMESPACE_DNS, slug), "slug": slug, "status": status})


SHOPS = {
    found.slug: found
    for found in (
        known_shop("demo"),
        known_shop("other"),
        known_shop("late", "SUSPENDED"),
        known_shop("gone", "CLOSED"),
    )
}
HOSTS = {"shop.example": "demo", "late.example": "late", "gone.example": "gone"}


class Platform:
    """The platform's tables, in memory; counts and can hold back its answers."""

    def __init__(self):
        self.asked = []
        self.failure = None
        self.release = asyncio.Event()
        self.release.set()
        self.waiting = asyncio.Event()

    async def fetch_platform(self, statement, **values):
        self.asked.append(values)
        self.waiting.set()
        await self.release.wait()
        if self.failure:
            raise self.failure
        found = self._find(statement, **values)
        return [] if found is None else [found]

    def _find(self, statement, **values):
        if statement is rows.shop_by_id:
            return next((known for known in SHOPS.values() if known.id == values["id"]), None)
        if statement is rows.shop_by_host:
            return SHOPS.get(HOSTS.get(values["host"], ""))
        return SHOPS.get(values["slug"])


class Timer:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
async def platform():
    return Platform()


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def directory(platform, timer):
    return ShopDirectory(platform, timer=timer)


async def slug_of(directory, default_slug=None, **naming):
    return (await resolve_shop(directory, Naming(**naming), default_slug=default_slug)).slug


@pytest.mark.parametrize(
    ("naming", "slug"),
    [
        ({"claim": str(SHOPS["other"].id)}, "other"),
        ({"claim": "other"}, "other"),
        ({"claim": "other", "header": "other", "host": "shop.example"}, "other"),
        ({"claim": "other", "host": "shop.example"}, "other"),
        ({"header": "other", "host": "shop.example"}, "other"),
        ({"host": "shop.example"}, "demo"),
        ({"host": "SHOP.Example.:8443"}, "demo"),
    ],
)
async def test_token_then_header_then_host_name_the_shop(directory, naming, slug):
    assert await slug_of(directory, "late", **naming) == slug


@pytest.mark.parametrize("host", [None, "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "unknown.example", ""])
async def test_the_default_serves_requests_that_name_none(directory, host):
    assert await slug_of(directory, "demo", host=host) == "demo"
    with pytest.raises(ShopNotFound):
        await slug_of(directory, host=host)


@pytest.mark.parametrize("header", ["demo", "unknown", "", "Other", "x" * 50_000])
async def test_a_header_must_agree_with_the_token(directory, platform, header):
    with pytest.raises(Forbidden):
        await slug_of(directory, claim="other", header=header)
    assert len(platform.asked) == 1


@pytest.mark.parametrize(
    "naming",
    [
        {"claim": "unknown"},
        {"claim": str(uuid.UUID(int=7))},
        {"header": "unknown"},
        {"claim": "gone"},
        {"header": "gone"},
        {"host": "gone.example"},
        {"claim": "gone", "header": "demo"},
    ],
)
async def test_unknown_and_closed_shops_are_not_found(directory, naming):
    with pytest.raises(ShopNotFound) as refusal:
        await slug_of(directory, "demo", **naming)
    assert "gone" not in refusal.value.message


@pytest.mark.parametrize("naming", [{"claim": "late"}, {"header": "late"}, {"host": "late.example"}])
async def test_a_suspended_shop_says_so(directory, naming):
    with pytest.raises(ShopSuspended):
        await slug_of(directory, "demo", **naming)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-demo",
        "demo-",
        "de--mo",
        "Demo",
        "demo\n",
        "de mo",
        "demo'; DROP TABLE shop; --",
        "дemo",
        "\x00",
        "\ud800",
        "x" * 121,
        "a-" * 25_000,
        "x" * 50_000,
    ],
)
async def test_what_cannot_be_a_slug_is_never_looked_up(directory, platform, name):
    for naming in ({"header": name}, {"claim": name}):
        with pytest.raises(ShopNotFound):
            await slug_of(directory, **naming)
    assert platform.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "shop.example:port",
        "shop.example:",
        "shop.example:123456",
        "shop.example:80:80",
        "shop..example",
        ".example",
        "-shop.example",
        "shop_example",
        "shop.example/",
        "shop.example@evil.example",
        "shöp.example",
        "\x00",
        "\ud800",
        f"{'x' * 254}",
        "x." * 25_000,
        "a-" * 25_000,
    ],
)
async def test_what_cannot_be_a_host_is_never_looked_up(directory, platform, host):
    with pytest.raises(ShopNotFound):
        await slug_of(directory, host=host)
    assert platform.asked == []


@pytest.mark.parametrize("naming", [{"header": "demo"}, {"header": "unknown"}, {"host": "nobody.example"}])
async def test_answers_are_remembered_for_five_seconds(directory, platform, timer, naming):
    async def ask():
        located = (
            await directory.locate_slug(naming["header"])
            if "header" in naming
            else await directory.locate_host("nobody.example")
        )
        return None if located.shop is None else located.shop.slug

    first = await ask()
    timer.now += 4.9
    assert await ask() == first
    assert len(platform.asked) == 1
    timer.now += 0.1
    assert await ask() == first
    assert len(platform.asked) == 2


async def test_what_is_forgotten_is_found_out_of_date_by_whoever_holds_it(directory, platform):
    by_slug = await directory.locate_slug("demo")
    by_id = await directory.locate_claim(str(SHOPS["demo"].id))
    other = await directory.locate_slug("other")
    directory.forget(SHOPS["demo"].id)
    assert by_slug.until < 0
    assert by_id.until < 0
    assert other.until > 0
    await directory.locate_slug("demo")
    assert len(platform.asked) == 4


async def test_a_suspension_is_seen_after_that(directory, timer, monkeypatch):
    assert await slug_of(directory, header="demo") == "demo"
    monkeypatch.setitem(SHOPS, "demo", known_shop("demo", "SUSPENDED"))
    timer.now += tenancy.LIFETIME_SECONDS
    with pytest.raises(ShopSuspended):
        await slug_of(directory, header="demo")


async def test_id_slug_and_host_are_remembered_apart(directory, platform):
    await directory.by_slug("demo")
    await directory.locate_host("demo")
    await directory.locate_claim(str(SHOPS["demo"].id))
    assert platform.asked == [{"slug": "demo"}, {"host": "demo"}, {"id": SHOPS["demo"].id}]


async def test_the_memory_is_bounded_and_forgets_the_oldest(directory, platform, monkeypatch):
    monkeypatch.setattr(tenancy, "CACHE_SIZE", 2)
    for slug in ("demo", "made-up-1", "made-up-2"):
        await directory.by_slug(slug)
    assert len(directory._answers) == 2
    await directory.by_slug("made-up-2")
    assert len(platform.asked) == 3
    await directory.by_slug("demo")
    assert len(platform.asked) == 4


async def test_callers_at_the_same_time_share_one_look_up(directory, platform):
    platform.release.clear()
    callers = [asyncio.create_task(directory.by_slug("demo")) for _ in range(50)]
    await platform.waiting.wait()
    # The one who began the look-up goes away; the others must not notice.
    callers[0].cancel()
    platform.release.set()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(shop is SHOPS["demo"] or shop == SHOPS["demo"] for shop in found[1:])
    assert platform.asked == [{"slug": "demo"}]


async def test_a_failure_reaches_every_caller_and_is_not_remembered(directory, platform):
    platform.failure = ConnectionError("lost")
    outcomes = await asyncio.gather(*(directory.by_slug("demo") for _ in range(3)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["lost"] * 3
    assert len(platform.asked) == 1
    platform.failure = None
    assert await directory.by_slug("demo") == SHOPS["demo"]


async def test_a_failure_that_nobody_waits_for_is_silent(directory, platform):
    noticed = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: noticed.append(context))
    try:
        platform.release.clear()
        platform.failure = ConnectionError("lost")
        caller = asyncio.create_task(directory.by_slug("demo"))
        await platform.waiting.wait()
        [look_up] = directory._flights._under_way.values()
        caller.cancel()
        await asyncio.wait({caller})
        platform.release.set()
        await asyncio.wait({look_up})
        del caller, look_up
        # asyncio complains of an unseen failure when the task is collected.
        gc.collect()
    finally:
        loop.set_exception_handler(before)
    assert noticed == []
    assert not directory._flights._under_way


async def test_the_database_knows_a_shop_by_id_slug_and_host(database, shop):
    host = f"{shop.slug}.example"
    await factories.domain(database, shop, host)
    directory = ShopDirectory(database)
    for naming in (Naming(claim=str(shop.id)), Naming(header=shop.slug), Naming(host=f"{host.upper()}:443")):
        assert await resolve_shop(directory, naming) == shop


async def test_the_database_keeps_a_closed_shop_to_itself(database, shop):
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(update(rows.Shop).values(status="CLOSED"))
        await transaction.commit()
    with pytest.raises(ShopNotFound):
        await resolve_shop(ShopDirectory(database), Naming(header=shop.slug))
