"""`python -m server settings`: what is set, and what can be."""

import dataclasses
import os
from typing import Annotated

import typer

from core.settings import load_settings, variables
from core.variables import Variable

app = typer.Typer()

HEAD = """# Settings

Galleria reads environment variables. Each may instead be given as a file, as secrets are mounted: append `_FILE` to the
name and set it to the file's path. `python -m server settings` prints what is in force, with secrets hidden.

| variable | default | in development | what it is |
| --- | --- | --- | --- |
"""


@app.command()
def settings(
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of all settings for the docs.")] = False,
) -> None:
    """Print the settings in force, with secrets hidden."""
    if markdown:
        typer.echo(table(), nl=False)
        return
    in_force = load_settings(os.environ)
    for field in dataclasses.fields(in_force):
        value = getattr(in_force, field.name)
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
        typer.echo(f"{variables()[field.name].name}={shown}")


def table() -> str:
    """Return the page that documents every setting."""
    return HEAD + "".join(_row(variable) for variable in variables().values())


def _row(variable: Variable) -> str:
    required = "required" if variable.is_required else ""
    default = f"`{variable.default}`" if variable.default else required
    development = f"`{variable.development}`" if variable.development else ""
    return f"| `{variable.name}` | {default} | {development} | {variable.description} |\n"
