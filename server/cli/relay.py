"""`python -m server relay`: the relay as a process of its own."""

import asyncio
import contextlib
import os
import signal

import typer
from rich.console import Console

from core.settings import Settings, load_settings
from server import postgresql
from server.cli.databases import opened
from server.feeding import configured_bus
from server.logs import configure_logs
from server.relaying import configured_relay, relaying

app = typer.Typer()

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@app.command("relay")
def relay_events() -> None:
    """Give events their order and tell the servers of them until Ctrl-C; several may run at once."""
    settings = load_settings(os.environ)
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
    bus = configured_bus(settings)
    await bus.open()
    try:
        async with relaying(configured_relay(settings, bus.publish)):
            console.print("Relaying events. Ctrl-C stops it.")
            await stopped.wait()
    finally:
        await bus.close()
