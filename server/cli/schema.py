"""`python -m server schema`: what clients may ask, as SDL, and who may ask it."""

from typing import Annotated

import typer

from schema.build import build
from schema.policies import permissions_page
from schema.printing import printed

app = typer.Typer()


@app.command()
def schema(
    *,
    permissions: Annotated[bool, typer.Option("--permissions", help="Print who may ask for which field.")] = False,
) -> None:
    """Print the schema that is served."""
    typer.echo(permissions_page(build()) if permissions else printed(build()), nl=not permissions)
