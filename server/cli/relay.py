"""`python -m server relay`: the relay as a process of its own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
import typer
from rich.console import Console
from starlette.applications import Starlette

from core import migrations
from core.bus import Bus
from core.settings import Settings, load_settings
from jobs.relay import Relay
from server import health, postgresql
from server.cli.databases import opened
from server.feeding import configured_bus
from server.listening import listening
from server.logs import configure_logs
from server.metrics import Metrics, create_metrics, metrics_route
from server.relaying import configured_relay, relaying
from server.serve import Server, config_of

app = typer.Typer()

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@app.command("relay")
def relay_events() -> None:
    """Give events their order and tell the servers of them until Ctrl-C; several may run at once.

    Probes and metrics are served on GALLERIA_METRICS_PORT.
    """
    settings = load_settings(os.environ, without={"token_keys", "token_issuer"})
    configure_logs(is_development=settings.is_development)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with postgresql.provided(settings) as provided, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_relay(provided, console))
    console.print("Stopped.")


async def _relay(settings: Settings, console: Console) -> None:
    stopped = asyncio.Event()
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with opened(settings):
        # It is at the schema of this release; the relay has connections of its own.
        pass
    if settings.redis_url is None:
        console.print("Set REDIS_URL: without it servers look for events only every few seconds.")
    bus, metrics = configured_bus(settings), create_metrics()
    await bus.open()
    try:
        relay = configured_relay(settings, bus.publish, metrics)
        async with relaying(relay), _watched(settings, relay, bus, metrics):
            console.print("Relaying events. Ctrl-C stops it.")
            await stopped.wait()
    finally:
        await bus.close()


@asynccontextmanager
async def _watched(settings: Settings, relay: Relay, bus: Bus, metrics: Metrics) -> AsyncIterator[None]:
    """Serve probes and metrics for as long as the block runs, where there is a port for them."""
    if not settings.metrics_port:
        yield
        return
    async with contextlib.AsyncExitStack() as stack:
        listener = stack.enter_context(listening(settings.host, settings.metrics_port, "GALLERIA_METRICS_PORT"))
        client = redis.asyncio.from_url(settings.redis_url.value) if settings.redis_url else None
        if client is not None:
            stack.push_async_callback(client.aclose)
        probes = health.Health(
            relay.database,
            lambda: migrations.current_revision(relay.database),
            oldest_revision=migrations.newest_revision(),
            redis=client.ping if client else None,
            is_bus_healthy=(lambda: bus.is_healthy) if client else None,
        )
        probes.is_started = True
        health.watch_health(metrics.registry, probes)
        server = Server(config_of(Starlette(routes=[*health.routes(probes), metrics_route(metrics)])))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.stop()
            await serving
