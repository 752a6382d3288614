"""`python -m server serve`: the server itself."""

import dataclasses
import os
from typing import Annotated

import typer
from rich.console import Console

from core.settings import load_settings
from server.serve import serve as run

app = typer.Typer()


@app.command()
def serve(
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that serve on the port, in place of what GALLERIA_WORKERS says.", min=1, max=64),
    ] = None,
) -> None:
    """Serve the API until Ctrl-C; in development, start and fill what it needs."""
    settings = load_settings(os.environ)
    if workers is not None:
        settings = dataclasses.replace(settings, workers=workers)
    run(settings, Console(stderr=True))
