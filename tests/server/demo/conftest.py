"""A PostgreSQL with the demo shops; they have fixed names, so they cannot share one with the shops of other tests."""

import asyncio

import pytest
from rich.progress import Progress

from core.database import Database
from core.settings import load_settings
from server.cli import main
from server.demo import ensure_demo
from tests.servers import embedded_postgres


@pytest.fixture(scope="session")
def cluster():
    with embedded_postgres() as started:
        yield started


@pytest.fixture(scope="session")
async def demo_database(cluster):
    opened = await Database.connect(cluster.app_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def environment(cluster, tmp_path_factory):
    return {
        "GALLERIA_ENVIRONMENT": "development",
        "GALLERIA_DATA": str(tmp_path_factory.mktemp("data")),
        "DATABASE_URL": cluster.app_url,
        "GALLERIA_OWNER_DATABASE_URL": cluster.owner_url,
    }


@pytest.fixture(scope="session")
async def demo(demo_database, environment):
    """The database with the demo shops, made as the first start makes them."""
    with Progress(disable=True) as progress:
        assert await ensure_demo(load_settings(environment), progress)
    return demo_database


@pytest.fixture
def command(environment, monkeypatch, capsys):
    """Runs a command line; returns exit code, standard output and error."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # Tables are as wide as the terminal.
    monkeypatch.setenv("COLUMNS", "120")

    async def run(*arguments: str) -> tuple[int, str, str]:
        try:
            await asyncio.to_thread(main, arguments)
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
