"""`python -m server probe`: asks the server of this machine how it is, where there is neither a shell nor curl."""

import enum
import http.client
import os
from typing import Annotated

import typer

from core.settings import variables

app = typer.Typer()

PATIENCE_SECONDS = 4.0
"""Longer than the server itself waits for its database; what asks us has to wait a little longer still."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound to it.


class Probe(enum.StrEnum):
    """What is asked; each is the name of a path without its `z`."""

    LIVE = "live"
    READY = "ready"
    STARTUP = "startup"


@app.command()
def probe(which: Annotated[Probe, typer.Argument(help="What to ask.")] = Probe.LIVE) -> None:
    """Ask the server on this machine how it is; the exit code is 0 when all is well and 1 when not."""
    host, port = _address()
    try:
        status, said = _asked(host, port, f"/{which}z")
    except (OSError, http.client.HTTPException) as error:
        typer.echo(f"Nothing answers on {host} port {port}: {error or type(error).__name__}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(said)
    raise typer.Exit(0 if status == http.client.OK else 1)


def _address() -> tuple[str, int]:
    """Return where the server listens; the other settings may be wrong, since that is the server's to say."""
    known = variables()
    host, port = (known[name].value(known[name].text(os.environ), is_development=False) for name in ("host", "port"))
    return _ANYWHERE.get(host, host), port


def _asked(host: str, port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
