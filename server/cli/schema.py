"""`python -m server schema`: what clients may ask, as SDL."""

import typer
from graphql import print_schema

from schema.build import build

app = typer.Typer()


@app.command()
def schema() -> None:
    """Print the schema that is served."""
    typer.echo(print_schema(build()))
