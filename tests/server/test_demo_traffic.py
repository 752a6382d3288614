"""`python -m server demo-traffic`, against a server."""

import asyncio
import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
from decimal import Decimal

import asyncpg
import pytest
from rich.progress import Progress

from core.budgets import budgets
from core.errors import ConfigurationError
from server.app import create_app
from server.cli import main
from server.cli.demo_traffic import _token
from server.demo import ensure_demo
from server.demo.traffic import Busy, Client, ServerAway, TrafficStopped, change_price, sell_or_fill, shelf
from tests.servers import free_port, served

pytestmark = pytest.mark.usefixtures("demo")
# The shops are shared with tests that run at the same time: each test that changes something has a part of its own.
MOVED, CONTESTED, PRICED = "demo-jp", "demo", "demo-kw"


@pytest.fixture(scope="module")
async def demo(settings, postgres) -> None:
    connection = await asyncpg.connect(postgres.owner_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('demo shops'))")
        with Progress(disable=True) as progress:
            await ensure_demo(settings, progress)
    finally:
        await connection.close()


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  (nothing depends on it)


@pytest.fixture
def client_of(base_url, settings):
    """Opens a client of one of the shops."""
    with contextlib.ExitStack() as stack:

        def opened(shop: str) -> Client:
            return stack.enter_context(contextlib.closing(Client(f"{base_url}/graphql", _token(settings, shop))))

        yield opened


@pytest.fixture
def development(settings, monkeypatch):
    monkeypatch.setenv("GALLERIA_ENVIRONMENT", "development")
    monkeypatch.setenv("GALLERIA_DATA", str(settings.data))
    return monkeypatch


@pytest.fixture
def command(development, capsys):  # noqa: ARG001  (its environment)
    """Runs the command; returns its exit code, and what it printed."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            await asyncio.to_thread(main, ("demo-traffic", *arguments))
        printed = capsys.readouterr()
        return end.value.code, printed.out, " ".join(printed.err.replace("│", " ").split())

    return run


async def test_stock_and_prices_move(command, client_of, base_url):
    client = client_of(MOVED)
    before = await asyncio.to_thread(shelf, client, 3)
    url = f"{base_url}/graphql"
    code, out, _ = await command("--shop", MOVED, "--products", "3", "--rate", "50", "--seconds", "1", "--url", url)
    after = await asyncio.to_thread(shelf, client, 3)
    assert code == 0
    changes = int(out.splitlines()[-1].split()[1])
    versions = [
        (new.stock_version - old.stock_version, new.listing_version - old.listing_version)
        for old, new in zip(before, after, strict=True)
    ]
    assert changes > 5
    # A price that stays as it is gets no new version.
    assert 0 < sum(map(sum, versions)) <= changes
    assert [old.id for old in before] == [new.id for new in after]


async def test_what_somebody_else_changed_is_read_again(client_of):
    client = client_of(CONTESTED)
    [article, *_] = await asyncio.to_thread(shelf, client, 1)
    mine, theirs = dataclasses.replace(article), dataclasses.replace(article)
    for change in (sell_or_fill, change_price):
        chance = seeded(7)
        assert await asyncio.to_thread(change, client, theirs, chance) is True
        assert await asyncio.to_thread(change, client, mine, chance) is False
        assert (mine.on_hand, mine.price) == (theirs.on_hand, theirs.price)
        assert await asyncio.to_thread(change, client, mine, chance) is True
        theirs = dataclasses.replace(mine)


async def test_stock_is_filled_up_and_prices_stay_below_what_they_were(client_of):
    client = client_of(PRICED)
    articles = await asyncio.to_thread(shelf, client, 12)
    reduced = next(article for article in articles[4:] if article.at_most is not None)
    chance = seeded(1)
    for _ in range(15):
        await asyncio.to_thread(change_price, client, reduced, chance)
        assert 0 < reduced.price <= reduced.at_most
    reduced.on_hand = 2
    assert await asyncio.to_thread(sell_or_fill, client, reduced, chance)
    assert reduced.on_hand >= 17
    reduced.at_most = reduced.price * 3
    low = reduced.price
    reduced.at_most = None
    await asyncio.to_thread(change_price, client, reduced, chance)
    assert abs(reduced.price - low) <= low * Decimal("0.07")


async def test_a_spent_budget_is_waited_for(settings):
    poor = dataclasses.replace(settings, budgets=budgets("staff=200/1"), redis_url=None)
    async with served(create_app(poor)) as address:
        client = Client(f"{address}/graphql", _token(settings, PRICED))
        try:
            [article, *_] = await asyncio.to_thread(shelf, client, 1)
            outcome: object = True
            while outcome is True:
                outcome = await asyncio.to_thread(sell_or_fill, client, article, seeded(1))
            assert isinstance(outcome, Busy)
            assert 0 < outcome.seconds < 100
            with pytest.raises(ServerAway, match="budget"):
                await asyncio.to_thread(shelf, client, 1)
        finally:
            client.close()


async def test_a_server_that_is_away_is_tried_again(command):
    with free_port() as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/graphql"
        code, out, err = await command("--seconds", "0.6", "--url", url)
    assert (code, out) == (0, "Changed 0 times the stock or the price of something in demo.\n")
    assert "does not answer" in err


async def test_a_token_that_is_refused_ends_it(base_url):
    client = Client(f"{base_url}/graphql", "nonsense")
    with pytest.raises(TrafficStopped, match="token"):
        await asyncio.to_thread(shelf, client, 1)
    client.close()


async def test_what_is_no_graphql_ends_it(command, base_url):
    code, _, err = await command("--url", f"{base_url}/nothing")
    assert code == 2
    assert "no GraphQL server: it answers 404" in err


async def test_an_address_that_cannot_be_one_is_refused():
    with pytest.raises(ConfigurationError, match="no address of a server"):
        Client("localhost:8000", "token")


async def test_other_shops_than_demo_shops_are_left_alone(command):
    code, _, err = await command("--shop", "real")
    assert code == 2
    assert "There is no demo shop 'real'; choose demo" in err


async def test_production_has_no_demo_traffic(command, development, settings):
    development.setenv("GALLERIA_ENVIRONMENT", "production")
    development.setenv("DATABASE_URL", settings.database_url.value)
    development.setenv("GALLERIA_TOKEN_KEYS", str(settings.data / "token-keys.json"))
    development.setenv("GALLERIA_TOKEN_ISSUER", "https://issuer.example")
    code, _, err = await command()
    assert code == 2
    assert "development only" in err


async def test_it_ends_in_order_by_ctrl_c(settings):
    with free_port() as listener:
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
        environ = {**os.environ, "GALLERIA_ENVIRONMENT": "development", "GALLERIA_DATA": str(settings.data)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "demo-traffic", "--url", url),
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # It has begun to ask once it is connected.
        connection, _ = await asyncio.to_thread(listener.accept)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        connection.close()
    assert (process.returncode, out) == (0, b"Changed 0 times the stock or the price of something in demo.\n")
    assert b"Traceback" not in err
