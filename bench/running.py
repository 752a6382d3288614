"""How a benchmark runs as a command: bounded in time, ended in order, its figures written to a file."""

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from core.errors import ConfigurationError

Figures = Mapping[str, Any]


def run(measure: Callable[[Console], Figures], results: Path, *, longest_seconds: int) -> Figures:
    """Measure, and write the figures as JSON; ends the process where that cannot be, with a sentence.

    Args:
        measure: Told where to say what it does.
        results: The file.
        longest_seconds: A run that takes longer hangs.
    """

    def give_up(_: int, __: object) -> None:
        raise ConfigurationError(f"Something hangs: no run takes {longest_seconds} seconds.")

    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(longest_seconds)
    try:
        found = measure(console)
    except ConfigurationError as error:
        console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    signal.alarm(0)
    results.parent.mkdir(exist_ok=True)
    results.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return found


def show(*parts: str) -> None:
    """Print what was found."""
    Console(width=200).print(*parts, sep="\n\n", markup=False, highlight=False)
