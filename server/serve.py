"""Takes a process from nothing to a server that answers, and back."""

import asyncio
import contextlib
import gc
import importlib
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TextIO

import uvicorn
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from core.errors import ConfigurationError
from core.settings import Settings
from server import postgresql
from server.listening import BACKLOG, listening
from server.live.bounds import MESSAGE_BYTES, PING_SECONDS
from server.live.wire import Wire
from server.logs import configure_logs
from server.metrics import metrics_route
from server.migrating import migrate
from server.observability import Observed
from server.workers import Supervisor
from server.workers.metrics import workers_metrics_route
from server.workers.process import environment_of

DRAIN_SECONDS = 20
"""How long requests that run when we are told to stop may take to end, at least: their deadline may be longer."""

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 seconds after which load balancers let go, so that they never write to a closed connection."""

_DOOR = "server.admission.door:Door"
"""Loaded by whoever serves: a supervisor, which does not, would take half as much memory again with it."""

_RESERVE_SECONDS = 10
"""What a worker may take on top of all that it waits for; then it hangs, and is killed."""

_NOT_IN_ORDER = 1
"""Exit status of a server that never served, or whose workers did not all end by themselves."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server(uvicorn.Server):
    """uvicorn without its handling of signals, which ends the process before ours is stopped in order.

    Args:
        config: What is served, and how.
        drain: What comes before requests are refused: what is live is closed in order.

    Attributes:
        is_up: Set once it serves.
    """

    def __init__(self, config: uvicorn.Config, *, drain: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__(config)
        self._drain = drain
        self._stopping: asyncio.Task[None] | None = None
        self.is_up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the server."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve; see `uvicorn.Server.startup`."""
        await super().startup(sockets)
        if self.started:
            self.is_up.set()

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
    arrange_logs(settings)
    _check_workers(settings, console)
    is_in_order = True
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError), contextlib.ExitStack() as stack:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        # At once, since all that follows is slow and pointless when the port is taken.
        listener = stack.enter_context(listening(settings.host, settings.port, "GALLERIA_PORT (make serve PORT=8001)"))
        scraped = None
        if settings.metrics_port:
            scraped = stack.enter_context(listening(settings.host, settings.metrics_port, "GALLERIA_METRICS_PORT"))
        with _step(console, "PostgreSQL"):
            settings = stack.enter_context(postgresql.provided(settings, is_exclusive=True))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        is_in_order = runner.run(_run(settings, listener, scraped, console))
    console.print("Stopped." if is_in_order else "Stopped, and not in order: the log says why.")
    if not is_in_order:
        sys.exit(_NOT_IN_ORDER)


def arrange_logs(settings: Settings, stream: TextIO = sys.stdout) -> None:
    """Send the logs of a process that serves to a stream."""
    configure_logs(is_development=settings.is_development, stream=stream)


def _check_workers(settings: Settings, console: Console) -> None:
    """Refuse several processes that share nothing, but for trying them out."""
    if settings.workers == 1 or settings.redis_url is not None:
        return
    lacking = (
        f"GALLERIA_WORKERS={settings.workers} needs REDIS_URL: without it each process has budgets, answers and "
        "documents of its own, and who follows events at one hears late of what is changed at another."
    )
    if not settings.is_development:
        raise ConfigurationError(f"{lacking} Set REDIS_URL, or GALLERIA_WORKERS=1.")
    console.print(f"[yellow]![/] {lacking}", highlight=False, soft_wrap=True)


def server_of(application: Observed, settings: Settings) -> Server:
    """Return a server of the application that cuts no request off before its deadline."""
    config = config_of(application, grace_seconds=_grace_seconds(settings))
    return Server(config, drain=application.drain)


def patience_seconds(settings: Settings) -> int:
    """Return what a server may take from the signal to its end; then it hangs."""
    return settings.drain_seconds + _grace_seconds(settings) + _RESERVE_SECONDS


def _grace_seconds(settings: Settings) -> int:
    return max(DRAIN_SECONDS, settings.deadline_seconds)


def config_of(application: ASGIApp, *, http: str = _DOOR, grace_seconds: int = DRAIN_SECONDS) -> uvicorn.Config:
    """Return how uvicorn serves the application; every limit is said, none inherited.

    Args:
        application: What is served.
        http: What speaks HTTP: a protocol of ours, or the name of one of uvicorn's.
        grace_seconds: What running requests may take once it is told to stop.
    """
    return uvicorn.Config(
        application,
        loop="none",
        http=http,
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
        timeout_graceful_shutdown=grace_seconds,
    )


async def _run(settings: Settings, listener: socket.socket, scraped: socket.socket | None, console: Console) -> bool:
    """Serve until told to stop, and tell whether everything began and ended as it should."""
    task = asyncio.current_task()
    _on_signals(task.cancel if task else asyncio.get_running_loop().stop)
    await postgresql.reach(settings)
    if settings.is_development:
        await _prepare(settings, console)
    run = _serve_alone if settings.workers == 1 else _supervise
    return await run(settings, listener, scraped, console)


async def _serve_alone(
    settings: Settings, listener: socket.socket, scraped: socket.socket | None, console: Console
) -> bool:
    with _step(console, "Application"):
        application = application_of(settings)
    server = server_of(application, settings)
    _on_signals(server.stop)
    _announce(settings, console)
    async with _metrics_served(metrics_route(application.metrics), scraped):
        await server.serve(sockets=[listener])
    return server.is_up.is_set()


async def _supervise(
    settings: Settings, listener: socket.socket, scraped: socket.socket | None, console: Console
) -> bool:
    supervisor = Supervisor(
        settings.workers,
        listener,
        environment_of(settings),
        patience_seconds=patience_seconds(settings),
    )
    _on_signals(supervisor.stop)
    async with _metrics_served(workers_metrics_route(supervisor), scraped):
        await supervisor.run(ready=lambda: _announce(settings, console))
    if supervisor.failure is not None:
        raise ConfigurationError(supervisor.failure)
    return supervisor.is_clean


def application_of(settings: Settings) -> Observed:
    """Make the application, and arrange the process for its being there."""
    # Imported late: it takes longer than finding out that a port is taken.
    application: Observed = importlib.import_module("server.app").create_app(settings)
    # What there is by now lives as long as the process. Looking through it for garbage, again and again, took half
    # of the time of a page with 700 objects; and what a page leaves behind is no cycle.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    return application


def _on_signals(act: Callable[[], object]) -> None:
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, act)


@contextlib.asynccontextmanager
async def _metrics_served(route: Route, listener: socket.socket | None) -> AsyncIterator[None]:
    """Serve metrics on a port of their own for as long as the block runs, where there is one."""
    if listener is None:
        yield
        return
    side = Server(config_of(Starlette(routes=[route]), http="httptools"))
    serving = asyncio.create_task(side.serve(sockets=[listener]))
    try:
        yield
    finally:
        side.stop()
        await serving


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
