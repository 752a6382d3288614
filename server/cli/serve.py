"""`python -m server serve`: the server itself."""

import os

import typer
from rich.console import Console

from core.settings import load_settings
from server.serve import serve as run

app = typer.Typer()


@app.command()
def serve() -> None:
    """Serve the API until Ctrl-C; in development, start and fill what it needs."""
    run(load_settings(os.environ), Console(stderr=True))
