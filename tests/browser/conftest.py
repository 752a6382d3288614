"""A browser without a network, and pages that keep what went wrong in them."""

import dataclasses
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from tests.browser.application import application
from tests.servers import served

# Generous, since several tests share the machine.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    # Whatever gets around the routes below finds no name to ask.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Visit:
    """A page with what went wrong in it.

    Attributes:
        page: The open page.
        address: Where the application is.
        problems: Messages of the console, errors, broken policies and requests to other hosts, as they came.
    """

    page: Page
    address: str
    problems: list[str]


@pytest.fixture(scope="session")
async def address() -> AsyncIterator[str]:
    async with served(application()) as started:
        yield started


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture(params=["light", "dark"])
def colours(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def visit(browser: Browser, address: str, request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    """A fresh visitor; in dark colours where the test asks for `colours`."""
    colours = request.getfixturevalue("colours") if "colours" in request.fixturenames else "light"
    context = await browser.new_context(
        color_scheme=colours,
        permissions=["clipboard-read", "clipboard-write"],
        viewport={"width": 1400, "height": 850},
    )
    context.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []

    async def stay(route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(address).netloc:
            await route.continue_()
        else:
            problems.append(f"request to {route.request.url}")
            await route.abort()

    await context.route("**/*", stay)
    context.on("console", lambda message: problems.append(f"console {message.type}: {message.text}"))
    context.on("weberror", lambda error: problems.append(f"error: {error.error}"))
    yield Visit(await context.new_page(), address, problems)
    await context.close()
