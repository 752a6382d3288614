"""`python -m server keys`: access tokens for development and for operators."""

import enum
import os
from datetime import timedelta
from typing import Annotated

import typer

from core.settings import load_settings
from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Grant, issue_token
from server.keys import configured_keys, new_keys
from server.tenancy import names_shop

app = typer.Typer(help="Keys and the tokens they sign.", no_args_is_help=True)

_DEVELOPMENT_MINUTES = 12 * 60
_PRODUCTION_MINUTES = 15
_LONGEST_MINUTES = 7 * 24 * 60


class Bearer(enum.StrEnum):
    """Whom a token is for."""

    STAFF = "staff"
    CUSTOMER = "customer"


def _known_role(role: str | None) -> str | None:
    if role is not None and role not in ROLES:
        raise typer.BadParameter(f"There is no role {role!r}; choose {', '.join(ROLES)}.")
    return role


def _possible_shop(shop: str) -> str:
    if not names_shop(shop):
        raise typer.BadParameter(f"{shop!r} is neither a slug nor an id of a shop.")
    return shop


@app.callback()
def keys() -> None:
    """Keys and the tokens they sign."""


@app.command()
def new() -> None:
    """Print a new pair of keys as a JWK Set, to be kept as a secret: whoever has it may issue tokens."""
    typer.echo(new_keys("galleria"))


@app.command()
def token(
    bearer: Annotated[Bearer, typer.Option("--as", help="Whom the token is for.")],
    shop: Annotated[str, typer.Option(callback=_possible_shop, help="The shop, by its slug or id.")],
    role: Annotated[
        str | None, typer.Option(callback=_known_role, help=f"What staff may do: {', '.join(ROLES)}. Unset, owner.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Who it is, within the shop (`sub`).")] = None,
    minutes: Annotated[
        int | None,
        typer.Option(min=1, max=_LONGEST_MINUTES, help="Lifetime. Unset, 12 hours in development, else 15 minutes."),
    ] = None,
) -> None:
    """Print an access token, to be sent as `Authorization: Bearer <token>`."""
    if bearer is Bearer.CUSTOMER and role is not None:
        raise typer.BadParameter("Customers have no role; leave --role out.")
    settings = load_settings(os.environ)
    default_minutes = _DEVELOPMENT_MINUTES if settings.is_development else _PRODUCTION_MINUTES
    grant = Grant(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        shop=shop,
        actor=_actor(bearer, role, subject),
        lifetime=timedelta(minutes=minutes or default_minutes),
    )
    typer.echo(issue_token(configured_keys(settings), grant))


def _actor(bearer: Bearer, role: str | None, subject: str | None) -> Actor:
    if bearer is Bearer.CUSTOMER:
        return Actor(ActorKind.CUSTOMER, subject or "customer")
    name = role or "owner"
    return Actor(ActorKind.STAFF, subject or f"staff-{name}", ROLES[name])
