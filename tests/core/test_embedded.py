"""The embedded PostgreSQL: made once, found again, never left behind, clear about what is wrong."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from core import embedded, embedded_binaries
from core.embedded_cluster import state
from core.errors import ConfigurationError
from tests.servers import folder

HOLDER = """
import sys, pathlib
from core import embedded
server = embedded.start(pathlib.Path(sys.argv[1]), durable=False)
print(server.running.guard.pid, flush=True)
sys.stdin.read()
"""
"""A process that starts PostgreSQL and does nothing until it is killed."""


@pytest.fixture(scope="module")
def cluster_files():
    """A folder with a finished cluster, to be copied: making one takes half a second."""
    with folder() as place:
        embedded.start(place / "postgresql", durable=False).stop()
        yield place / "postgresql"


@pytest.fixture
def place(cluster_files):
    """A folder of the test's own with a finished cluster."""
    with folder() as parent:
        copy = parent / "postgresql"
        # Unlike shutil.copytree, this keeps the owner.
        subprocess.run(["/bin/cp", "-a", cluster_files, copy], check=True)  # noqa: S603
        yield copy


@contextlib.contextmanager
def holding(place):
    """Run PostgreSQL in a process of its own, and kill that process in the end."""
    process = subprocess.Popen(  # noqa: S603 - the program is ours.
        [sys.executable, "-c", HOLDER, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


async def ask(url, question):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def wait_until_gone(pid):
    """Wait for a process that is not our child to end."""
    descriptor = os.pidfd_open(pid)
    with os.fdopen(descriptor):
        # A process descriptor becomes readable when its process ends.
        assert select.select([descriptor], [], [], 20)[0], f"process {pid} is still there"


async def test_a_new_folder_gets_a_database_and_its_roles():
    with folder() as parent:
        server = embedded.start(parent / "postgresql", durable=False)
        try:
            version = await ask(server.url("galleria_app"), "SHOW server_version_num")
            assert 180_000 <= int(version) < 190_000
            owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
            assert await ask(server.url("galleria_owner"), owner) == "galleria_owner"
            for role in ("galleria_app", "galleria_worker"):
                rights = "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
                assert await ask(server.url(role), rights) is False
            locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
            assert await ask(server.url("galleria_app"), locale) == "bC.UTF-8"
        finally:
            server.stop()


async def test_what_is_written_is_there_after_a_restart(place):
    server = embedded.start(place)
    await ask(server.url("galleria_owner"), "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    again = embedded.start(place)
    try:
        assert await ask(again.url("galleria_owner"), "SELECT answer FROM kept") == 42
        assert await ask(again.url("postgres"), "SHOW fsync") == "on"
    finally:
        again.stop()


async def test_passwords_are_asked_for_and_private(place):
    assert (place / "passwords.json").stat().st_mode & 0o077 == 0
    assert (place / "cluster").stat().st_mode & 0o077 == 0
    server = embedded.start(place, durable=False)
    try:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://galleria_app:wrong@127.0.0.1:{server.port}/galleria")
        assert server.passwords["galleria_app"] not in repr(server)
    finally:
        server.stop()


def test_it_does_not_run_as_root(place):
    server = embedded.start(place, durable=False)
    try:
        assert server.running is not None
        assert Path(f"/proc/{server.running.process.pid}").stat().st_uid != 0
    finally:
        server.stop()


def test_ctrl_c_in_our_terminal_does_not_reach_it(place):
    server = embedded.start(place, durable=False)
    try:
        assert server.running is not None
        assert os.getsid(server.running.process.pid) != os.getsid(0)
    finally:
        server.stop()


def test_it_stops_when_we_are_killed(place):
    with holding(place) as (process, _):
        running = state(place / "cluster")
        assert running is not None
        process.kill()
        wait_until_gone(running.pid)


async def test_a_leftover_is_ended_and_its_data_kept(place):
    with holding(place) as (_, guard):
        leftover = state(place / "cluster")
        assert leftover is not None
        # Without its guard PostgreSQL is left alone, as when both are killed at once with us.
        os.kill(guard, signal.SIGKILL)
        server = embedded.find(place)
        assert server is not None
        await ask(server.url("galleria_owner"), "CREATE TABLE kept AS SELECT 42 AS answer")
    again = embedded.start(place)
    try:
        assert state(place / "cluster").pid != leftover.pid
        assert await ask(again.url("galleria_owner"), "SELECT answer FROM kept") == 42
    finally:
        again.stop()


def test_a_reused_process_number_is_not_mistaken_for_a_leftover(place):
    ours = os.getpid()
    pid_file = place / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{ours}\n{place / 'cluster'}\n0\n1\n\n127.0.0.1\n\nready\n")
    embedded_binaries.account().own(pid_file)
    server = embedded.start(place, durable=False)
    server.stop()


def test_two_on_one_folder(place):
    with holding(place) as (process, _), pytest.raises(ConfigurationError) as raised:
        embedded.start(place)
    assert str(raised.value) == (
        f"Galleria already runs on {place}, as process {process.pid}: stop it, "
        "or use another data folder and port: make serve DATA=folder PORT=8001"
    )


async def test_another_process_may_use_the_one_that_runs(place):
    assert embedded.find(place) is None
    with holding(place):
        found = embedded.find(place)
        assert found is not None
        assert await ask(found.url("galleria_app"), "SELECT current_user") == "galleria_app"
        found.stop()
        assert await ask(found.url("galleria_app"), "SELECT 1") == 1
    assert embedded.find(place / "elsewhere") is None


def broken_version(place):
    (place / "cluster" / "PG_VERSION").write_text("15\n")
    return "was written by PostgreSQL 15, and this is 18"


def foreign_folder(place):
    shutil.rmtree(place / "cluster")
    (place / "cluster").mkdir()
    return "does not hold a PostgreSQL database"


def lost_passwords(place):
    (place / "passwords.json").unlink()
    return "cannot be read"


def broken_passwords(place):
    (place / "passwords.json").write_text("{}")
    return "cannot be read"


def broken_control_file(place):
    (place / "cluster" / "global" / "pg_control").write_bytes(b"")
    return "PostgreSQL did not start"


@pytest.mark.parametrize(
    "damage", [broken_version, foreign_folder, lost_passwords, broken_passwords, broken_control_file]
)
def test_a_broken_folder_is_told_in_one_line(place, damage):
    complaint = damage(place)
    with pytest.raises(ConfigurationError) as raised:
        embedded.start(place)
    assert complaint in str(raised.value)
    assert f"Move {place} away to start afresh, or use another data folder: make serve DATA=folder" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert embedded.find(place) is None, "a refused start must let the folder go"


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "postgresql").touch()
    with pytest.raises(ConfigurationError, match="Cannot use the data folder"):
        embedded.start(tmp_path / "postgresql")


def test_an_interrupted_first_start_is_begun_anew(place):
    (place / "cluster").rename(place / "cluster.partial")
    (place / "cluster.partial" / "PG_VERSION").unlink()
    (place / "passwords.json").unlink()
    embedded.start(place, durable=False).stop()
    assert not (place / "cluster.partial").exists()
    assert (place / "cluster" / "PG_VERSION").read_text() == "18\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
async def test_root_may_keep_its_data_where_others_cannot_go():
    with folder() as parent:
        closed = parent / "home"
        closed.mkdir(mode=0o700)
        place = closed / "data" / "postgresql"
        shelter = embedded_binaries.shelter(place)
        try:
            server = embedded.start(place, durable=False)
            try:
                assert await ask(server.url("galleria_app"), "SELECT 1") == 1
                assert (place / "cluster").resolve() == shelter / "cluster"
            finally:
                server.stop()
        finally:
            shutil.rmtree(shelter, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_root_may_keep_its_binaries_where_others_cannot_go(monkeypatch):
    runner = embedded_binaries.account()
    reachable = embedded_binaries.binaries(runner)
    with folder() as parent:
        monkeypatch.setattr(embedded_binaries, "SHELTER", parent / "shelter")
        monkeypatch.setattr(embedded_binaries.Account, "reaches", lambda _self, path: parent in path.parents)
        copied = embedded_binaries.binaries(runner)
        assert copied.is_relative_to(parent)
        assert copied != reachable
        assert runner.run([copied / "psql", "--version"]).stdout.startswith("psql (PostgreSQL) 18")
        assert embedded_binaries.binaries(runner) == copied


def test_a_missing_wheel_is_told(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(ConfigurationError, match=r"binaries are not installed: run `make serve`.*or set DATABASE_URL"):
        embedded_binaries.binaries(embedded_binaries.Account())
