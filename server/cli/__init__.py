"""The command line: one module a command, loaded when it is asked for.

A module offers `app`, a Typer application. One without a callback is merged, so that its commands stand at the top;
one with a callback is a group of commands under its name.
"""

import importlib
import signal
import sys
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console

from core.errors import ConfigurationError

COMMANDS: Mapping[str, str] = {
    "serve": "server.cli.serve",
    "probe": "server.cli.probe",
    "migrate": "server.cli.migrate",
    "settings": "server.cli.settings",
    "seed": "server.cli.seed",
    "shops": "server.cli.shops",
    "import": "server.cli.imports",
    "export": "server.cli.exports",
    "keys": "server.cli.keys",
    "schema": "server.cli.schema",
    "warm": "server.cli.warm",
    "relay": "server.cli.relay",
    "verify": "server.cli.verify",
    "demo-traffic": "server.cli.demo_traffic",
}
"""The module of each command."""

USAGE_ERROR = 2
"""Exit code for what the caller has to put right; Typer uses the same."""


def main(arguments: Sequence[str]) -> None:
    """Run the command that the arguments name; end the process with its exit code."""
    app = application(arguments)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        # Loading is over; from here on Ctrl-C has to undo what was begun.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app(args=list(arguments))
    except ConfigurationError as error:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"galleria: {error}")
        sys.exit(USAGE_ERROR)


def application(arguments: Sequence[str]) -> typer.Typer:
    """Return the application with the command that is named, or with all where none is.

    Loading one spares the others' imports, which for the schema take longer than everything else together.
    """
    # Rich tracebacks would print local variables, secrets included.
    app = typer.Typer(
        name="galleria",
        help="Galleria, a commerce server.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_nothing)
    named = arguments[0] if arguments else None
    for name, module in COMMANDS.items():
        if named == name or named not in COMMANDS:
            command: typer.Typer = importlib.import_module(module).app
            app.add_typer(command, name=name if command.registered_callback else None)
    return app


def _nothing() -> None:
    """Galleria, a commerce server."""
