"""A process for the audience of each server: it has as many sockets as one process may, and a core beside the server's.

While nothing is asked of it, it answers the pings of its server.
"""

import contextlib
import gc
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from bench.live.hall import Hall
from bench.machine import Cores, pin
from core.errors import ConfigurationError

P = ParamSpec("P")
T = TypeVar("T")

_STOP_SECONDS = 10.0


class Audience:
    """The subscribers of one server, in a process of their own.

    Args:
        pipe: To that process.
    """

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe

    def do(self, task: Callable[Concatenate[Hall, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function of a module there, and return what it returns.

        Raises:
            ConfigurationError: It has failed.
        """
        try:
            self._pipe.send((task, args, kwargs))
            done = self._pipe.recv()
        except (EOFError, ConnectionError):
            raise ConfigurationError("The process that hears the subscribers has died.") from None
        if isinstance(done, ConfigurationError):
            raise done
        return cast("T", done)


@contextlib.contextmanager
def audience(port: int, cores: Cores) -> Iterator[Audience]:
    """Start the audience of a server, for as long as the block runs.

    Args:
        port: Of the server.
        cores: Who runs where.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_listen, args=(theirs, port), daemon=True)
    process.start()
    theirs.close()
    try:
        if process.pid is not None:
            pin(process.pid, cores.others)
        yield Audience(ours)
    finally:
        ours.close()
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.kill()


def _listen(pipe: "Connection[Any, Any]", port: int) -> None:
    """Do what is asked through a pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    asked: list[Any] = []
    hall = Hall(port)
    hall.watch(pipe, lambda: asked.append(pipe.recv()))
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            pipe.send(_next(hall, asked))


def _next(hall: Hall, asked: list[Any]) -> Any:
    try:
        while not asked:
            hall.turn()
        task, args, kwargs = asked.pop()
        return task(hall, *args, **kwargs)
    except ConfigurationError as error:
        hall.close()
        return error
    except OSError as error:
        hall.close()
        return ConfigurationError(f"A socket fails: {error}.")
