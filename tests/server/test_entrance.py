"""Callers that are known again: never for longer than their token and their shop are good."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from core.errors import ShopSuspended, TokenExpired
from core.settings import Settings
from models import shops
from resolvers.context import Actor, ActorKind
from server import entrance, tenancy
from server.authentication import Authenticator, Grant, issue_token
from server.entrance import Entrance
from server.graphql.contexts import RequestView
from server.keys import configured_keys
from server.tenancy import ShopDirectory
from tests import factories


@dataclasses.dataclass
class Clock:
    now: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(database, settings: Settings, clock) -> Entrance:
    authenticator = Authenticator(
        configured_keys(settings), issuer=settings.token_issuer, audience=settings.token_audience, clock=clock
    )
    return Entrance(authenticator=authenticator, directory=ShopDirectory(database), database=database)


def view(**headers: str) -> RequestView:
    return RequestView("1", "POST", {name.replace("_", "-"): value for name, value in headers.items()}, "127.0.0.1")


def token(settings: Settings, shop, clock: Clock, *, minutes: float = 10, subject: str = "7") -> str:
    grant = Grant(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        shop=shop.slug,
        actor=Actor(ActorKind.CUSTOMER, subject),
        lifetime=timedelta(minutes=minutes),
    )
    return f"Bearer {issue_token(configured_keys(settings), grant, clock=clock)}"


async def test_a_caller_is_the_same_object_as_long_as_nothing_changes(known, settings, clock, shop):
    asked = view(authorization=token(settings, shop, clock))
    assert await known.identify(asked) is await known.identify(asked)


async def test_a_token_ends_also_for_those_who_are_known(known, settings, clock, shop):
    asked = view(authorization=token(settings, shop, clock, minutes=10))
    await known.identify(asked)
    clock.now += timedelta(minutes=11)
    with pytest.raises(TokenExpired):
        await known.identify(asked)


async def test_a_shop_is_looked_up_again_after_its_time(known, database, shop, monkeypatch):
    monkeypatch.setattr(tenancy, "LIFETIME_SECONDS", 0.0)
    asked = view(galleria_shop=shop.slug)
    await known.identify(asked)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(update(shops.Shop).values(status="SUSPENDED"))
        await transaction.commit()
    with pytest.raises(ShopSuspended):
        await known.identify(asked)


async def test_a_token_beside_another_header_is_another_caller(known, settings, clock, database, shop):
    other = await factories.shop(database)
    asked = token(settings, shop, clock)
    assert (await known.identify(view(authorization=asked))).shop.id == shop.id
    assert (await known.identify(view(galleria_shop=other.slug))).shop.id == other.id
    assert (await known.identify(view(authorization=asked, host=f"{other.slug}.example"))).shop.id == shop.id


async def test_few_callers_are_known_at_once(known, settings, clock, shop, monkeypatch):
    monkeypatch.setattr(entrance, "CALLERS_KNOWN", 2)
    views = [view(authorization=token(settings, shop, clock, subject=str(number))) for number in range(3)]
    first = [await known.identify(each) for each in views]
    assert len(known._known) == 2
    assert await known.identify(views[2]) is first[2]
    assert await known.identify(views[0]) is not first[0]


async def test_long_headers_are_looked_at_each_time_and_not_kept(known, settings, clock, shop):
    asked = view(authorization=token(settings, shop, clock).replace("Bearer ", "Bearer " + " " * entrance.LONGEST_SAID))
    assert await known.identify(asked) == await known.identify(asked)
    assert not known._known
