"""Runs PgBouncer in front of a PostgreSQL, so that many clients share few sessions."""

import contextlib
import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from core import embedded_binaries
from core.embedded_binaries import guard
from tests.servers import Postgres, folder, free_port

STATEMENTS = 200
"""Of each session; it is what PgBouncer 1.24 has by itself."""

SESSIONS = 2
"""So few that clients which do something at once are led to sessions that others have just used."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pooler:
    """A pooler that gives a session away after each transaction.

    Attributes:
        url: Of the database behind it, as the application's role.
        sessions: How many it keeps at most.
        knows_statements: Whether it keeps prepared statements apart.
    """

    url: str
    sessions: int
    knows_statements: bool


def program() -> str:
    """Find PgBouncer, which Debian keeps where not everybody looks."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail("Install pgbouncer: in CI nothing is left out.")
    if found is None:
        pytest.skip("there is no pgbouncer here")
    return found


def version() -> tuple[int, ...]:
    """Return the version that is installed: Debian 12 has 1.18, Debian 13 has 1.24."""
    printed = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    return tuple(int(number) for number in printed.splitlines()[0].removeprefix("PgBouncer ").split("."))


@contextlib.contextmanager
def pgbouncer(
    postgres: Postgres, *, sessions: int = SESSIONS, knows_statements: bool = True, more: str = ""
) -> Iterator[Pooler]:
    """Run PgBouncer in front of a PostgreSQL.

    Args:
        postgres: The PostgreSQL, of which the application's role has a password.
        sessions: How many it may open.
        knows_statements: Let it keep prepared statements apart, if it can.
        more: Further lines of its configuration.
    """
    behind = urlsplit(postgres.app_url)
    runner = embedded_binaries.account()
    can_know = version() >= (1, 21)
    if can_know:
        more += f"max_prepared_statements = {STATEMENTS if knows_statements else 0}\n"
    with folder() as place, free_port() as reserved:
        port = reserved.getsockname()[1]
        users, settings = place / "users", place / "pgbouncer.ini"
        users.write_text(f'"{behind.username}" "{behind.password}"\n')
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={behind.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {sessions}\nmax_client_conn = 500\n"
            f"log_connections = 0\nlog_disconnections = 0\n{more}"
        )
        for path in (users, settings):
            path.chmod(0o600)
            runner.own(path)
        reserved.close()
        with _running(settings, runner):
            url = behind._replace(netloc=f"{behind.username}:{behind.password}@127.0.0.1:{port}").geturl()
            yield Pooler(url, sessions, can_know and knows_statements)


@contextlib.contextmanager
def _running(settings: Path, runner: embedded_binaries.Account) -> Iterator[None]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as printed, os.fdopen(writing, "wb") as log:
        process = runner.launch([program(), str(settings)], log=log)
        log.close()
        watch = guard(process)
        try:
            lines = []
            for line in printed:
                lines.append(line)
                if b"process up" in line:
                    break
            else:
                raise RuntimeError(f"pgbouncer did not start: {b''.join(lines).decode()}")
            yield
        finally:
            process.kill()
            process.communicate()
            watch.kill()
            watch.communicate()
