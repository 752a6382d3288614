"""Servers and clients that every test may use; one set of servers for the whole run."""

import dataclasses
import importlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from core.budgets import DEFAULT
from core.database import Database
from core.settings import Settings, load_settings
from resolvers.context import Shop
from tests import factories
from tests.replaying import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown
from tests.servers import Postgres, Servers, served

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown"]

_SERVERS = pytest.StashKey[Servers]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres-url",
        help="run on this PostgreSQL, as a role that may make databases and roles, instead of the embedded one",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "asked_once: the other executors are not asked the same")
    config.stash[_SERVERS] = Servers(config.getoption("--postgres-url"))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_SERVERS].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Start the servers in the process that distributes the tests, and tell each worker where they are."""
    servers = node.config.stash[_SERVERS]
    node.workerinput["postgres"] = dataclasses.asdict(servers.postgres())
    node.workerinput["redis_url"] = servers.redis()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Postgres:
    """A migrated database."""
    if hasattr(request.config, "workerinput"):
        return Postgres(**request.config.workerinput["postgres"])
    return request.config.stash[_SERVERS].postgres()


@pytest.fixture
async def newer_url(postgres: Postgres) -> AsyncIterator[str]:
    """A database as a release leaves it that was rolled back, as its owner sees it: all of it is in another schema."""
    schema = f"newer_{uuid.uuid4().hex}"
    owner = await asyncpg.connect(postgres.owner_url)
    await owner.execute(f"CREATE SCHEMA {schema} CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
    await owner.execute(f"INSERT INTO {schema}.alembic_version VALUES ('9999')")  # noqa: S608 - the name is ours.
    yield f"{postgres.owner_url}{'&' if '?' in postgres.owner_url else '?'}search_path={schema}"
    await owner.execute(f"DROP SCHEMA {schema} CASCADE")
    await owner.close()


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """A Redis that several workers share: use keys of your own."""
    if hasattr(request.config, "workerinput"):
        return request.config.workerinput["redis_url"]
    return request.config.stash[_SERVERS].redis()


@pytest.fixture(scope="session")
def settings(postgres: Postgres, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a server under test."""
    return load_settings(
        {
            "GALLERIA_ENVIRONMENT": "development",
            "GALLERIA_DATA": str(tmp_path_factory.mktemp("data")),
            "DATABASE_URL": postgres.app_url,
            "GALLERIA_OWNER_DATABASE_URL": postgres.owner_url,
            "REDIS_URL": redis_url,
            # No test but those of budgets is to run into one.
            "GALLERIA_BUDGETS": ",".join(f"{client}=10000000/10000000" for client in DEFAULT if client != "shop")
            + ",shop=50000000/50000000",
            # Nor into the limit of operations at the same time, on a machine that is busy with tests.
            "GALLERIA_CONCURRENCY": "1000",
            # Tests write rows behind the application's back, and count statements.
            "GALLERIA_RESPONSE_CACHE": "off",
        }
    )


@pytest.fixture(scope="session")
async def base_url(settings: Settings) -> AsyncIterator[str]:
    """The real application, served over HTTP."""
    application = importlib.import_module("server.app").create_app(settings)
    async with served(application) as address:
        yield address


@pytest.fixture(scope="session")
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application."""
    async with httpx.AsyncClient(base_url=base_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js, which runs foreign clients."""
    return _program("node")


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser."""
    return _program("chromium")


@pytest.fixture(scope="session")
def promtool() -> str:
    """The tool of Prometheus that reads rules and tries them."""
    return _program("promtool")


def _program(name: str) -> str:
    """Find a program that is not everywhere; without it a test is skipped on a laptop and fails in CI."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"Install {name}: in CI nothing is left out.")
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


@pytest.fixture(scope="session")
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """The database as the application sees it."""
    opened = await Database.connect(postgres.app_url)
    yield opened
    await opened.close()


@pytest.fixture
async def shop(database: Database) -> Shop:
    """A shop of the test's own."""
    return await factories.shop(database)
