"""Takes a process from nothing to a server that answers, and back."""

import asyncio
import contextlib
import errno
import gc
import importlib
import logging
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
import sqlalchemy.exc
import uvicorn
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from core import migrations
from core.errors import ConfigurationError
from core.settings import Settings
from server import postgresql
from server.live.bounds import MESSAGE_BYTES, PING_SECONDS
from server.live.wire import Wire
from server.logs import configure_logs
from server.metrics import metrics_route

BACKLOG = 2_048
"""Connections that may wait until the event loop takes them."""

DRAIN_SECONDS = 20
"""How long requests that run when we are told to stop may take to end."""

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 seconds after which load balancers let go, so that they never write to a closed connection."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server(uvicorn.Server):
    """uvicorn without its handling of signals, which ends the process before ours is stopped in order.

    Args:
        config: What is served, and how.
        drain: What comes before requests are refused: what is live is closed in order.
    """

    def __init__(self, config: uvicorn.Config, *, drain: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__(config)
        self._drain = drain
        self._stopping: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the server."""
        yield

    def stop(self) -> None:
        """Let live connections and running requests end; the second time, let them not."""
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop())
        else:
            self._stopping.cancel()
            self.force_exit = self.should_exit = True

    async def _stop(self) -> None:
        try:
            if self._drain is not None:
                await self._drain()
        finally:
            self.should_exit = True


def serve(settings: Settings, console: Console) -> None:
    """Serve until a signal says to stop; then stop everything that was started.

    Raises:
        ConfigurationError: Something is missing or in the way; the message says what to do.
    """
    configure_logs(is_development=settings.is_development)
    if settings.is_development:
        # What uvicorn says at start and stop is said by the progress shown.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError), contextlib.ExitStack() as stack:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        listener = stack.enter_context(_listening(settings.host, settings.port, "GALLERIA_PORT (make serve PORT=8001)"))
        scraped = None
        if settings.metrics_port:
            scraped = stack.enter_context(_listening(settings.host, settings.metrics_port, "GALLERIA_METRICS_PORT"))
        with _step(console, "PostgreSQL"):
            settings = stack.enter_context(postgresql.provided(settings, is_exclusive=True))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        runner.run(_run(settings, listener, scraped, console))
    console.print("Stopped.")


def _listening(host: str, port: int, setting: str) -> socket.socket:
    """Listen on an address at once, since all that follows is slow and pointless when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} is in use: stop what uses it, or set {setting} to another."
            ) from None
        raise ConfigurationError(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            f"Set GALLERIA_HOST to an address of this machine and {setting} to a port above 1023."
        ) from None


def config_of(application: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn serves the application; every limit is said, none inherited."""
    return uvicorn.Config(
        application,
        loop="none",
        http="httptools",
        ws=Wire,
        ws_max_size=MESSAGE_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        # Compressing costs each socket some 100 kB of memory, and each event more time than all else.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # It would believe whatever runs on this machine about the addresses of clients; see `server.addresses`.
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


async def _run(settings: Settings, listener: socket.socket, scraped: socket.socket | None, console: Console) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
    await postgresql.reach(settings)
    if settings.is_development:
        await _prepare(settings, console)
    with _step(console, "Application"):
        # Imported late: it takes longer than finding out that a port is taken.
        application = importlib.import_module("server.app").create_app(settings)
        # What there is by now lives as long as the process. Looking through it for garbage, again and again, took half
        # of the time of a page with 700 objects; and what a page leaves behind is no cycle.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000)
    server = Server(config_of(application), drain=application.drain)
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, server.stop)
    _announce(settings, console)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        if scraped is not None:
            side = Server(config_of(Starlette(routes=[metrics_route(application.metrics)])))
            serving.add_done_callback(lambda _: side.stop())
            tasks.create_task(side.serve(sockets=[scraped]))


async def _prepare(settings: Settings, console: Console) -> None:
    """Do what an operator does in production: migrate; and fill an empty database with something to look at."""
    with _step(console, "Migrations"):
        await migrate(settings)
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        _timed(console, "Demo shops"),
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        await importlib.import_module("server.demo").ensure_demo(settings, progress)


async def migrate(settings: Settings, revision: str = "head") -> None:
    """Migrate the database up to a revision.

    Raises:
        ConfigurationError: PostgreSQL refuses, as to a role that does not own the tables.
    """
    try:
        await migrations.upgrade(postgresql.owner_url(settings), revision)
    except (OSError, asyncpg.PostgresError, sqlalchemy.exc.DBAPIError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"Cannot migrate {settings.owner_database_url}: {reason}. "
            "Set GALLERIA_OWNER_DATABASE_URL to a role that owns the database and may create roles."
        ) from None


@contextlib.contextmanager
def _step(console: Console, title: str) -> Iterator[None]:
    with _timed(console, title), console.status(title):
        yield


@contextlib.contextmanager
def _timed(console: Console, title: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - started:.1f} s[/]")


def _announce(settings: Settings, console: Console) -> None:
    host = "localhost" if settings.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else settings.host  # noqa: S104
    address = f"http://{host}:{settings.port}"
    console.print(f"\n[bold]Galleria[/] answers on {address}/graphql", highlight=False, soft_wrap=True)
    if settings.is_development:
        console.print(
            f"Start at {address}/ or try queries in {address}/graphiql. Ctrl-C stops it.",
            highlight=False,
            soft_wrap=True,
        )
