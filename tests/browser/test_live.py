"""`/live` in a browser, with a server that is started again under it."""

import asyncio
import contextlib
import dataclasses
import itertools
import socket
from collections.abc import AsyncIterator
from decimal import Decimal
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from playwright.async_api import Locator, Page, expect
from rich.progress import Progress

from core.database import Database
from core.ids import encode_global_id
from core.settings import Environment, Settings, load_settings
from server.app import create_app
from server.cli.demo_traffic import _token
from server.demo import ensure_demo
from server.demo.traffic import Article, Client, shelf
from server.serve import Server, config_of
from tests import factories
from tests.servers import embedded_postgres, free_port, served

SHOP, QUIET = "demo-kw", "demo-jp"
PRICE, STOCK = 2, 3
"""Columns of the table."""
SET_STOCK = """
mutation($input: StockSetInput!, $version: Int!) {
  payload: stockSet(input: $input, expectedVersion: $version) { variant { stockLevels(first: 1) { version } } }
}
"""
SET_PRICE = """
mutation($id: ID!, $version: Int!, $price: String!) {
  payload: listingUpdate(id: $id, expectedVersion: $version, input: { price: $price }) { listing { version } }
}
"""


@pytest.fixture(scope="module")
async def demo(settings, postgres) -> None:
    connection = await asyncpg.connect(postgres.owner_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('demo shops'))")
        with Progress(disable=True) as progress:
            await ensure_demo(settings, progress)
    finally:
        await connection.close()


@dataclasses.dataclass
class Site:
    """A server that can be stopped and started again at the same place."""

    settings: Settings
    address: str
    server: Server | None = None
    task: asyncio.Task | None = None

    async def start(self) -> None:
        application = create_app(self.settings)
        listener = socket.create_server(("127.0.0.1", urlsplit(self.address).port))
        self.server = Server(config_of(application), drain=application.drain)
        self.task = asyncio.create_task(self.server.serve(sockets=[listener]))
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as client:
            assert (await client.get(f"{self.address}/livez")).status_code == 200

    async def stop(self) -> None:
        self.server.stop()
        await self.task


@pytest.fixture
async def site(settings, demo) -> AsyncIterator[Site]:  # noqa: ARG001  (the shops are to be there)
    with free_port() as reserved:
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    started = Site(dataclasses.replace(settings, drain_seconds=0), address)
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def page(browser, site) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1100, "height": 1080})
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    opened = await context.new_page()
    await opened.goto(f"{site.address}/live?shop={SHOP}")
    await expect(opened.locator("#state")).to_have_text("live")
    yield opened
    await context.close()
    assert problems == []


@contextlib.contextmanager
def staff(site: Site, shop: str = SHOP):
    """A client of the API, with a token of the shop's owner."""
    with contextlib.closing(Client(f"{site.address}/graphql", _token(site.settings, shop))) as client:
        yield client


async def articles(site: Site, shop: str = SHOP) -> list[Article]:
    """Read what the page shows."""
    with staff(site, shop) as client:
        return await asyncio.to_thread(shelf, client, 12)


async def set_stock(site: Site, article: Article, on_hand: int, *, shop: str = SHOP) -> None:
    counted = {"variantId": article.id, "warehouseId": article.warehouse_id, "onHand": on_hand}
    with staff(site, shop) as client:
        data = await asyncio.to_thread(client.ask, SET_STOCK, {"input": counted, "version": article.stock_version})
    article.stock_version = data["payload"]["variant"]["stockLevels"][0]["version"]


async def set_price(site: Site, article: Article, price: str) -> None:
    with staff(site) as client:
        variables = {"id": article.listing_id, "version": article.listing_version, "price": price}
        data = await asyncio.to_thread(client.ask, SET_PRICE, variables)
    article.listing_version = data["payload"]["listing"]["version"]


def cell(page: Page, article: Article, column: int) -> Locator:
    return page.locator(f'tr[data-variant="{article.id}"] td').nth(column)


async def shown_stock(page: Page, article: Article) -> int:
    return int(await cell(page, article, STOCK).inner_text())


async def test_stock_and_prices_move_before_the_eyes(page, site, tmp_path):
    first, second, *_ = await articles(site)
    before = await shown_stock(page, first)
    await set_stock(site, first, first.on_hand + 7)
    await expect(cell(page, first, STOCK)).to_have_text(str(before + 7))
    await expect(cell(page, first, STOCK)).to_have_class("figure rise")
    await set_stock(site, first, first.on_hand + 3)
    await expect(cell(page, first, STOCK)).to_have_text(str(before + 3))
    await expect(cell(page, first, STOCK)).to_have_class("figure fall")
    price = str(second.price - Decimal("0.125"))
    await set_price(site, second, price)
    await expect(cell(page, second, PRICE)).to_contain_text(price)
    await expect(page.locator("#events")).to_have_text("3")
    await page.screenshot(path=tmp_path / "live.png")


async def test_the_page_goes_on_by_itself_when_the_server_was_started_again(page, site, tmp_path):
    article, other, *_ = await articles(site)
    before, before_other = await shown_stock(page, article), await shown_stock(page, other)
    await set_stock(site, article, article.on_hand + 1)
    await expect(cell(page, article, STOCK)).to_have_text(str(before + 1))
    await site.stop()
    await expect(page.locator("#state")).to_have_text("reconnecting…")
    await expect(page.locator("#problem")).to_be_hidden()
    await page.screenshot(path=tmp_path / "reconnecting.png")
    await site.start()
    await expect(page.locator("#state")).to_have_text("live")
    await set_stock(site, other, other.on_hand + 5)
    await expect(cell(page, other, STOCK)).to_have_text(str(before_other + 5))
    await expect(page.locator("#problem")).to_be_hidden()
    await page.screenshot(path=tmp_path / "live-again.png")


async def test_what_happened_while_the_page_was_cut_off_is_heard(page, site):
    article, *_ = await articles(site)
    before = await shown_stock(page, article)
    await set_stock(site, article, article.on_hand + 1)
    await expect(page.locator("#events")).to_have_text("1")
    await site.stop()
    await expect(page.locator("#state")).to_have_text("reconnecting…")
    async with served(create_app(site.settings)) as elsewhere:
        for more in (2, 3, 4):
            await set_stock(dataclasses.replace(site, address=elsewhere), article, article.on_hand + more)
    await site.start()
    await expect(page.locator("#state")).to_have_text("live")
    await expect(page.locator("#events")).to_have_text("4")
    await expect(cell(page, article, STOCK)).to_have_text(str(before + 4))


async def test_the_page_begins_anew_with_a_database_that_was_made_anew(page, site, tmp_path):
    other = page
    # A shop in which no other test, at the same time perhaps, counts what happens.
    page = await other.context.new_page()
    await page.goto(f"{site.address}/live?shop={QUIET}")
    await expect(page.locator("#state")).to_have_text("live")
    article, *_ = await articles(site, QUIET)
    # More than will have happened in the new database, so that what was heard here lies in its future.
    for more in range(20):
        await set_stock(site, article, article.on_hand + more + 1, shop=QUIET)
    await expect(page.locator("#events")).to_have_text("20")
    await site.stop()
    await expect(page.locator("#state")).to_have_text("reconnecting…")
    before = site.settings
    with embedded_postgres() as anew:
        urls = {"DATABASE_URL": anew.app_url, "GALLERIA_OWNER_DATABASE_URL": anew.owner_url}
        made = load_settings({"GALLERIA_ENVIRONMENT": "development", "GALLERIA_DATA": str(before.data), **urls})
        variant, _ = await furnished(anew, QUIET), await furnished(anew, SHOP)
        site.settings = dataclasses.replace(
            before, database_url=made.database_url, owner_database_url=made.owner_database_url
        )
        await site.start()
        await expect(page.locator("#state")).to_have_text("live")
        for each in (page, other):
            await expect(each.locator("tbody tr")).to_have_count(1)
            await expect(each.locator("#problem")).to_contain_text("all was read anew")
        await page.screenshot(path=tmp_path / "anew.png")
        shown = page.locator(f'tr[data-variant="{encode_global_id("Variant", variant.id)}"] td').nth(STOCK)
        await expect(shown).to_have_text("10")
        [only] = await articles(site, QUIET)
        await set_stock(site, only, 4, shop=QUIET)
        await expect(shown).to_have_text("4")
        await site.stop()
    site.settings = before
    await site.start()


async def furnished(postgres, slug):
    """Open a shop in a database that has none, with one thing to sell, and return that."""
    database = await Database.connect(postgres.app_url)
    try:
        _, variant = await factories.sellable(database, await factories.shop(database, slug=slug))
    finally:
        await database.close()
    return variant


async def test_other_shops_are_a_click_away(page, site):
    await page.get_by_role("link", name="demo-jp").click()
    await expect(page.locator("#state")).to_have_text("live")
    await expect(page.locator("tbody tr").first).to_contain_text("¥")
    assert page.url == f"{site.address}/live?shop=demo-jp"


async def test_a_shop_that_is_none_is_told(page, site):
    await page.goto(f"{site.address}/live?shop=<b>nowhere")
    await expect(page.locator("#problem")).to_be_visible()
    await expect(page.locator("#shop")).to_have_text("<b>nowhere")


async def test_graphiql_watches_the_stock_by_its_example(page, site, tmp_path):
    await page.goto(f"{site.address}/graphiql")
    await page.get_by_role("button", name="StockChanged").click()
    await page.locator('button[aria-label="Re-fetch GraphQL schema (Shift-Ctrl-R)"]').wait_for()
    async with page.expect_websocket() as opening:
        await page.get_by_role("button", name="Execute query").click()
    socket_of_page = await opening.value
    heard = asyncio.ensure_future(socket_of_page.wait_for_event("framereceived", lambda frame: '"next"' in frame))
    with staff(site, "demo") as client:
        [article, *_] = await asyncio.to_thread(shelf, client, 12)
    counted = itertools.count(7_001)
    # Nothing tells when the subscription is open.
    while not heard.done():
        await set_stock(site, article, next(counted), shop="demo")
    await heard
    await set_stock(site, article, next(counted), shop="demo")
    with staff(site, "demo") as client:
        query = "query($id: ID!) { variant(id: $id) { availability { quantity } } }"
        data = await asyncio.to_thread(client.ask, query, {"id": article.id})
    # GraphiQL draws what has arrived at its own pace.
    await page.wait_for_function(
        "quantity => __MONACO.editor.getModels().some(model => "
        "model.uri.path.endsWith('response.json') && model.getValue().includes(`\"quantity\": ${quantity}`))",
        arg=data["variant"]["availability"]["quantity"],
    )
    await page.screenshot(path=tmp_path / "graphiql.png")


async def test_the_page_is_for_development(settings):
    production = dataclasses.replace(settings, environment=Environment.PRODUCTION)
    async with served(create_app(production)) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/live")).status_code == 404
