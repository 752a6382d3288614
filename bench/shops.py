"""The shops that are asked: a large one and small ones beside it, so that tokens and tenants change all the time."""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from core.database import Database
from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Grant, issue_token
from server.demo.profiles import PROFILES
from server.demo.seeding import frame_of, seed_shop
from server.keys import load_keys

LARGEST = "demo"
"""The shop whose size is chosen; `seed` of the command line makes it."""

_PRODUCTS = 2_000
"""Of each other shop: enough that a category fills a page."""

_LIFETIME = timedelta(hours=3)
"""Of a token: longer than any run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shopper:
    """A shop and the tokens that it is asked with.

    Attributes:
        shop: Its slug.
        customer: Token of a customer.
        staff: Token of its owner.
    """

    shop: str
    customer: str
    staff: str


def slugs(number: int) -> Sequence[str]:
    """Return the slugs of this many shops."""
    return [LARGEST, *(f"{LARGEST}-{place}" for place in range(2, number + 1))]


def seed_others(environ: Mapping[str, str], number: int) -> None:
    """Make the small shops; their languages and currencies are in turn those of the demo shops."""

    async def seed() -> None:
        database = await Database.connect(environ["DATABASE_URL"])
        try:
            for place, slug in enumerate(slugs(number)[1:]):
                profile = dataclasses.replace(PROFILES[place % len(PROFILES)], slug=slug)
                frame = frame_of(profile, _PRODUCTS)
                await seed_shop(database, environ["GALLERIA_OWNER_DATABASE_URL"], frame, lambda _: None)
        finally:
            await database.close()

    asyncio.run(seed())


def shoppers(environ: Mapping[str, str], number: int) -> Sequence[Shopper]:
    """Return the tokens of this many shops."""
    keys = load_keys(Path(environ["GALLERIA_TOKEN_KEYS"]))

    def token(shop: str, actor: Actor) -> str:
        grant = Grant(
            issuer=environ["GALLERIA_TOKEN_ISSUER"],
            audience=environ["GALLERIA_TOKEN_AUDIENCE"],
            shop=shop,
            actor=actor,
            lifetime=_LIFETIME,
        )
        return issue_token(keys, grant)

    customer = Actor(ActorKind.CUSTOMER, "bench")
    owner = Actor(ActorKind.STAFF, "bench", ROLES["owner"])
    return [Shopper(shop, token(shop, customer), token(shop, owner)) for shop in slugs(number)]
