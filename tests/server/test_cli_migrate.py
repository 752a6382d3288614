"""`python -m server migrate`, as the job of a roll-out runs it."""

import asyncio
import dataclasses
import uuid

import asyncpg
import pytest

from core import migrations
from core.variables import Secret
from server import cli, migrating
from tests.servers import free_port


@pytest.fixture
def migrate(postgres, monkeypatch, capsys):
    """Runs the command in a thread of its own, since it runs an event loop; gives its status and what it printed."""

    async def run(*arguments, url=postgres.owner_url):
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.delenv("GALLERIA_OWNER_DATABASE_URL", raising=False)
        status = await asyncio.to_thread(_status, ["migrate", *arguments])
        return status, *capsys.readouterr()

    return run


def _status(arguments):
    try:
        cli.main(arguments)
    except SystemExit as end:
        return end.code
    return None


@pytest.fixture
async def owner(postgres):
    connection = await asyncpg.connect(postgres.owner_url)
    yield connection
    await connection.close()


async def test_a_newer_database_is_no_failure_and_said_to_be_newer(migrate, newer_url):
    newest = migrations.newest_revision()
    told = f"Nothing to migrate: the database is at 9999, newer than {newest} of this release, and serves it too.\n"
    assert await migrate(url=newer_url) == (0, told, "")


async def test_an_unknown_revision_is_told_in_a_line(migrate):
    status, printed, errors = await migrate("--to", "9999")
    assert (status, printed) == (2, "")
    assert errors.startswith("galleria: Cannot migrate to 9999: Can't locate revision")
    assert errors.count("\n") == 1


async def test_a_database_that_never_comes_is_waited_for_as_long_as_is_said(migrate):
    with free_port() as closed:
        url = f"postgresql://someone:hunter2@127.0.0.1:{closed.getsockname()[1]}/galleria"
        status, printed, errors = await migrate("--wait", "0.1", url=url)
    assert (status, printed) == (1, "")
    assert errors.startswith("galleria: Waiting for postgresql://********@127.0.0.1:")
    assert "cannot be migrated after 0.1 seconds: " in errors.splitlines()[-1]
    assert "hunter2" not in errors


async def test_one_that_is_there_is_not_waited_for(migrate):
    assert await migrate("--wait", "600") == (0, "Migrated to head.\n", "")


async def test_a_role_that_is_made_late_is_waited_for(settings, postgres, owner, monkeypatch):
    monkeypatch.setattr(migrating, "_PAUSE_SECONDS", 0.01)
    name = f"late_{uuid.uuid4().hex}"
    place = postgres.owner_url.split("@")[1]
    late = dataclasses.replace(settings, owner_database_url=Secret(f"postgresql://{name}:secret@{place}"))
    said = asyncio.Queue()
    waiting = asyncio.create_task(migrating.wait(late, 60, said.put_nowait))
    assert name in await said.get()
    try:
        # One that may make no roles finds all of them there.
        await owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        assert await waiting
    finally:
        await owner.execute(f"DROP ROLE IF EXISTS {name}")
    assert said.empty()


async def test_roles_that_it_may_not_make_are_waited_for(settings, postgres, owner, monkeypatch):
    monkeypatch.setattr(migrating, "_PAUSE_SECONDS", 0.01)
    name, absent = (f"{kind}_{uuid.uuid4().hex}" for kind in ("plain", "absent"))
    monkeypatch.setattr(migrations, "ROLES", ("galleria_app", absent))
    place = postgres.owner_url.split("@")[1]
    plain = dataclasses.replace(settings, owner_database_url=Secret(f"postgresql://{name}:secret@{place}"))
    said = asyncio.Queue()
    await owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    try:
        waiting = asyncio.create_task(migrating.wait(plain, 60, said.put_nowait))
        assert f"not all of galleria_app, {absent} are there" in await said.get()
        await owner.execute(f"CREATE ROLE {absent}")
        assert await waiting
    finally:
        await owner.execute(f"DROP ROLE IF EXISTS {absent}")
        await owner.execute(f"DROP ROLE {name}")


async def test_a_database_that_refuses_is_told_in_a_line(migrate):
    with free_port() as closed:
        url = f"postgresql://someone:hunter2@127.0.0.1:{closed.getsockname()[1]}/galleria"
        status, printed, errors = await migrate(url=url)
    assert (status, printed) == (2, "")
    assert "GALLERIA_OWNER_DATABASE_URL" in errors
    assert errors.count("\n") == 1
