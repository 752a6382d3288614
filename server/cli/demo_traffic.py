"""`python -m server demo-traffic`: lets the stock and the prices of a demo shop move."""

import dataclasses
import os
import random
import time
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.errors import ConfigurationError
from core.settings import Settings, load_settings
from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Grant, issue_token
from server.demo.profiles import PROFILES
from server.demo.traffic import (
    Article,
    Busy,
    Client,
    ServerAway,
    TrafficStopped,
    change_price,
    sell_or_fill,
    shelf,
)
from server.keys import configured_keys

app = typer.Typer()

_SLUGS = ", ".join(profile.slug for profile in PROFILES)
_PRICES = 0.3
"""Of all changes, those of prices."""

_LONGEST = timedelta(hours=12)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 4.0


def _known_shop(slug: str) -> str:
    if all(profile.slug != slug for profile in PROFILES):
        raise typer.BadParameter(f"There is no demo shop {slug!r}; choose {_SLUGS}.")
    return slug


@app.command("demo-traffic")
def demo_traffic(
    *,
    shop: Annotated[str, typer.Option(callback=_known_shop, help=f"The shop: {_SLUGS}.")] = "demo",
    rate: Annotated[float, typer.Option(min=0.1, max=100, help="Changes a second.")] = 5.0,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="For how long; unset, until Ctrl-C.")] = None,
    products: Annotated[
        int, typer.Option(min=1, max=50, help="Products that change, those that are listed first.")
    ] = 12,
    url: Annotated[str | None, typer.Option(help="The GraphQL endpoint; unset, that of this machine.")] = None,
) -> None:
    """Let stock and prices of a demo shop move, over HTTP, to look at on /live; development only."""
    settings = load_settings(os.environ)
    if not settings.is_development:
        raise ConfigurationError("Set GALLERIA_ENVIRONMENT=development: demo shops are for development only.")
    client = Client(url or f"http://localhost:{settings.port}/graphql", _token(settings, shop))
    traffic = _Traffic(client, products, random.Random())  # noqa: S311  (nothing depends on it)
    until = time.monotonic() + (seconds or _LONGEST.total_seconds())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            _run(traffic, progress, rate=rate, until=until)
    except KeyboardInterrupt:
        # That is how it is meant to end.
        pass
    except TrafficStopped as error:
        raise ConfigurationError(str(error)) from None
    finally:
        client.close()
    typer.echo(f"Changed {traffic.changes:,} times the stock or the price of something in {shop}.")


def _token(settings: Settings, shop: str) -> str:
    owner = Actor(ActorKind.STAFF, "demo-owner", ROLES["owner"])
    grant = Grant(
        issuer=settings.token_issuer, audience=settings.token_audience, shop=shop, actor=owner, lifetime=_LONGEST
    )
    return issue_token(configured_keys(settings), grant)


@dataclasses.dataclass(slots=True)
class _Traffic:
    """A run.

    Attributes:
        client: Of the API.
        products: How many of them change.
        chance: What decides.
        articles: Variants of these products, once they are read.
        changes: Of stock and prices, so far.
        pause: Seconds until the server is tried again, while it is away.
        state: For people.
    """

    client: Client
    products: int
    chance: random.Random
    articles: list[Article] = dataclasses.field(default_factory=list)
    changes: int = 0
    pause: float = 0.0
    state: str = "Looking at the shelf"

    def step(self) -> float:
        """Change something; return the seconds until there may be a next time."""
        try:
            self.articles = self.articles or shelf(self.client, self.products)
            article = self.chance.choice(self.articles)
            change = change_price if self.chance.random() < _PRICES else sell_or_fill
            outcome = change(self.client, article, self.chance)
        except ServerAway as error:
            self.pause = min(_LONGEST_PAUSE_SECONDS, self.pause * 2 or _FIRST_PAUSE_SECONDS)
            self.state = f"{error} Trying again"
            return self.pause
        self.pause = 0.0
        if isinstance(outcome, Busy):
            self.state = f"{self.changes:,} changes; waiting for the budget"
            return outcome.seconds
        self.changes += outcome
        self.state = f"{self.changes:,} changes"
        return 0.0


def _run(traffic: _Traffic, progress: Progress, *, rate: float, until: float) -> None:
    task = progress.add_task(traffic.state, total=None)
    due = time.monotonic()
    while (now := time.monotonic()) < until:
        if due > now:
            time.sleep(min(due, until) - now)
            continue
        # What could not be done in its time is left out, not made up for in one go.
        due = max(due + 1 / rate, now, now + traffic.step())
        progress.update(task, description=traffic.state)
