"""`python -m server verify`: checks a server that runs, as a client of it."""

import os
from typing import Annotated

import typer

from core.variables import Variable
from server.verifying import Target, VerificationFailed, verify

app = typer.Typer()

_TOKEN = Variable("GALLERIA_VERIFY_TOKEN", str, "Token of staff.")


@app.command("verify")
def verify_server(
    *,
    url: Annotated[str, typer.Option(help="Of the server, without a path.")] = "http://localhost:8000",
    shop: Annotated[str | None, typer.Option(help="Slug of a shop to read. Unset, no shop is asked about.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long it may take, all in all.")] = 60.0,
) -> None:
    """Check a server that runs: its probes, a query and, with a token, a change that is heard of.

    The token is that of staff of the shop who may write the catalogue, in GALLERIA_VERIFY_TOKEN or in the file that
    GALLERIA_VERIFY_TOKEN_FILE names. The exit code is 1 when something does not work.
    """
    token = _TOKEN.text(os.environ)
    if token is not None and shop is None:
        raise typer.BadParameter("Name the shop that GALLERIA_VERIFY_TOKEN is for.", param_hint="--shop")
    try:
        for sentence in verify(Target(url=url, shop=shop, token=token, seconds=seconds)):
            typer.echo(sentence)
    except VerificationFailed as failure:
        typer.echo(f"galleria: {failure}", err=True)
        raise typer.Exit(1) from None
