"""A worker: a process that a supervisor starts, by `python -m server.workers NUMBER LISTENER CHANNEL`."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from typing import TextIO, cast

import structlog
import uvloop
from prometheus_client.exposition import generate_latest

from core.errors import ConfigurationError
from core.settings import Settings, load_settings
from server.serve import STOP_SIGNALS, Server, application_of, arrange_logs, server_of
from server.workers import HOPELESS
from server.workers.channel import answer
from server.workers.output import Lines

NOT_STARTED = 3
"""Exit status of a worker that could not begin to serve; uvicorn uses the same."""

_log = structlog.get_logger(area="workers")


def main(arguments: Sequence[str]) -> int:
    """Serve until the supervisor says to stop, or is gone; return the exit status.

    Args:
        arguments: The worker's number, and the descriptors of the socket that listens and of the channel.
    """
    try:
        return _serve(*map(int, arguments))
    except ConfigurationError as error:
        print(f"galleria: {error}", file=sys.stderr)  # noqa: T201  (as the command line says it)
        return HOPELESS


def _serve(number: int, listener: int, channel: int) -> int:
    settings = load_settings(os.environ)
    with contextlib.closing(Lines(sys.stdout.fileno())) as stream:
        arrange_logs(settings, cast("TextIO", stream))
        structlog.contextvars.bind_contextvars(worker=number)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_work(settings, socket.socket(fileno=listener), socket.socket(fileno=channel)))


async def _work(settings: Settings, listener: socket.socket, channel: socket.socket) -> int:
    application = application_of(settings)
    server = server_of(application, settings)
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, server.stop)
    registry = application.metrics.registry
    answering = asyncio.create_task(answer(channel, lambda: generate_latest(registry), ready=server.is_up.wait()))
    answering.add_done_callback(lambda done: None if done.cancelled() else _leave(server))
    await server.serve(sockets=[listener])
    answering.cancel()
    return 0 if server.is_up.is_set() else NOT_STARTED


def _leave(server: Server) -> None:
    """Stop without handing anybody over: whoever starts us again needs the port at once."""
    _log.warning("the supervisor is gone")
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
