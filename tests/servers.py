"""Starts what the tests talk to: PostgreSQL, Redis and the application itself, all of them real."""

import asyncio
import contextlib
import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from starlette.types import ASGIApp

from core import embedded, migrations
from core.embedded_binaries import guard
from server.serve import Server, config_of


@dataclasses.dataclass(frozen=True, slots=True)
class Postgres:
    """A migrated database.

    Attributes:
        app_url: As the application's role, or one that may become it.
        owner_url: As the role that owns the tables.
    """

    app_url: str
    owner_url: str


@dataclasses.dataclass(slots=True)
class Servers:
    """The servers of one test run, each started when it is first asked for.

    Attributes:
        admin_url: A PostgreSQL to use instead of the embedded one, as a role that may make databases and roles.
    """

    admin_url: str | None
    _stack: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)
    _postgres: Postgres | None = None
    _redis: str | None = None

    def postgres(self) -> Postgres:
        if self._postgres is None:
            start = embedded_postgres() if self.admin_url is None else scratch_database(self.admin_url)
            self._postgres = self._stack.enter_context(start)
        return self._postgres

    def redis(self) -> str:
        if self._redis is None:
            self._redis = os.environ.get("REDIS_URL") or self._stack.enter_context(redis())
        return self._redis

    def close(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def embedded_postgres() -> Iterator[Postgres]:
    """Run PostgreSQL in a folder of its own and migrate its database."""
    with folder() as place:
        server = embedded.start(place / "postgresql", durable=False)
        try:
            owner_url = server.url("galleria_owner")
            _run(migrations.upgrade(owner_url))
            yield Postgres(server.url("galleria_app"), owner_url)
        finally:
            server.stop()


@contextlib.contextmanager
def scratch_database(admin_url: str) -> Iterator[Postgres]:
    """Make and migrate a database on a PostgreSQL that is there, and drop it afterwards."""
    name = f"galleria_test_{uuid.uuid4().hex}"
    url = urlsplit(admin_url)._replace(path=f"/{name}").geturl()
    _run(_execute(admin_url, f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
    try:
        _run(migrations.upgrade(url))
        yield Postgres(url, url)
    finally:
        _run(_execute(admin_url, f"DROP DATABASE {name} WITH (FORCE)"))


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps nothing."""
    with free_port() as reserved:
        port = reserved.getsockname()[1]
    with redis_at(port):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def redis_at(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Redis that keeps nothing at a port that is free."""
    with folder() as place:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(place)]
        process = subprocess.Popen(  # noqa: S603 - the program is the one we looked for.
            [redis_program(), *options], stdout=subprocess.PIPE, start_new_session=True, bufsize=0
        )
        watch = guard(process)
        try:
            assert process.stdout is not None
            printed = []
            for line in process.stdout:
                printed.append(line)
                if b"Ready to accept connections" in line:
                    break
            else:
                raise RuntimeError(f"redis-server did not start: {b''.join(printed).decode()}")
            yield process
        finally:
            process.kill()
            process.communicate()
            watch.kill()
            watch.communicate()


def redis_program() -> str:
    """Find a redis-server: an installed one, or the one that the development requirements bring along."""
    installed = shutil.which("redis-server") or shutil.which("redis-server", path=Path(sys.executable).parent)
    if installed is None:
        raise RuntimeError("There is no redis-server: run `make test`, which installs one, or set REDIS_URL.")
    return installed


@contextlib.asynccontextmanager
async def served(application: ASGIApp) -> AsyncIterator[str]:
    """Serve an application over HTTP in this event loop, and give its address."""
    with free_port() as listener:
        listener.listen()
        server = Server(config_of(application))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.stop()
            await task


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a temporary folder that the unprivileged user of PostgreSQL may enter."""
    with tempfile.TemporaryDirectory(prefix="galleria-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def free_port() -> socket.socket:
    """Bind a socket to a free port of the loopback interface."""
    # Only a socket that knows its protocol is spared the delay of small packets (asyncio sets TCP_NODELAY by it).
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def _run(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine to its end on a loop of its own, whatever loop the tests have."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
