"""What the proofs run on: a PostgreSQL and a Redis of their own, whose events no other test's server relays."""

import contextlib
import dataclasses
import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta

import asyncpg
import pytest

from core.database import Database
from core.settings import load_settings
from resolvers.context import ROLES, Actor, ActorKind, Shop
from server.authentication import Grant, issue_token
from server.keys import development_keys
from tests import factories
from tests.proofs.following import EVENTS, STOCK, Identity
from tests.proofs.writing import Outbox
from tests.servers import embedded_postgres, folder, redis

IS_LONG = os.environ.get("GALLERIA_PROOFS") == "long"


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """An installation.

    Attributes:
        environ: What its servers are told.
        database: As they see it.
        owner: A connection that sees all rows.
        shop: One of a test's own.
    """

    environ: Mapping[str, str]
    database: Database
    owner: asyncpg.Connection
    shop: Shop

    @property
    def outbox(self) -> Outbox:
        """What has happened in the shop."""
        return Outbox(self.owner, self.shop)

    def staff(self, subject: str) -> dict[str, str]:
        """Return the headers of somebody who may see everything."""
        settings = load_settings(self.environ)
        actor = Actor(ActorKind.STAFF, subject, ROLES["owner"])
        grant = Grant(
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            shop=str(self.shop.id),
            actor=actor,
            lifetime=timedelta(hours=2),
        )
        return {"authorization": f"Bearer {issue_token(development_keys(settings.data), grant)}"}

    def follows_all(self, subject: str) -> Identity:
        """Return somebody who hears of everything."""
        return Identity(EVENTS, self.staff(subject))

    def follows_stock(self) -> Identity:
        """Return a shopper, who hears of stock alone."""
        return Identity(STOCK, {"galleria-shop": self.shop.slug})


@pytest.fixture(scope="session")
def own_environ() -> Iterator[dict[str, str]]:
    """What servers of an installation of the proofs' own are told, as in production."""
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "COVERAGE_"))}
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(folder())
        server = stack.enter_context(embedded_postgres())
        development_keys(place)
        yield {
            **inherited,
            "GALLERIA_ENVIRONMENT": "production",
            "GALLERIA_DATA": str(place),
            "GALLERIA_TOKEN_KEYS": str(place / "token-keys.json"),
            "GALLERIA_TOKEN_ISSUER": "https://issuer.example",
            "GALLERIA_OWNER_DATABASE_URL": server.owner_url,
            "DATABASE_URL": server.app_url,
            "REDIS_URL": stack.enter_context(redis()),
            # What runs out here would be a budget, and not what is proved.
            "GALLERIA_BUDGETS": ",".join(
                f"{client}=10000000/10000000" for client in ("shopper", "customer", "staff", "key")
            )
            + ",shop=50000000/50000000",
        }


@pytest.fixture
async def site(own_environ: Mapping[str, str]) -> AsyncIterator[Site]:
    """An installation with a shop."""
    database = await Database.connect(own_environ["DATABASE_URL"])
    owner = await asyncpg.connect(own_environ["GALLERIA_OWNER_DATABASE_URL"])
    yield Site(own_environ, database, owner, await factories.shop(database))
    await owner.close()
    await database.close()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Chance, the same again where `GALLERIA_PROOFS_SEED` is what a test that failed has printed."""
    seed = os.environ.get("GALLERIA_PROOFS_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"GALLERIA_PROOFS_SEED={seed}")  # noqa: T201
    return random.Random(f"{seed} {request.node.name}")  # noqa: S311  (no secret)
