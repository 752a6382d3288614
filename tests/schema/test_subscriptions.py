"""Subscriptions as the schema declares them, for whoever executes it."""

import asyncio

import pytest
from graphql import ExecutionResult, parse, subscribe
from sqlalchemy import update

from core.bus import BusInProcess, Nudge
from core.clock import system_clock
from engine.execute import subscribe as subscribe_compiled
from engine.price import OperationPrice, Tariff
from loaders import Loaders
from models import outbox
from models.products import Product
from resolvers.context import ANONYMOUS, ROLES, SYSTEM, Actor, ActorKind, Context
from resolvers.feeds import Feeds
from schema.build import build
from schema.event_types import EventType
from schema.policies import Open, check, is_personal
from tests import factories
from tests.api.live.hubs import PRODUCT, living
from tests.resolvers.feeding import forget, number

SCHEMA = build()
OWNER = Actor(ActorKind.STAFF, "owner", ROLES["owner"])


@pytest.fixture
async def feeds(database):
    made = Feeds(database, BusInProcess())
    yield made
    assert len(made) == 0


def context_of(database, shop, feeds, actor=ANONYMOUS):
    tenant = database.of_tenant(shop.id)
    loaders = Loaders(tenant)
    return Context(shop=shop, actor=actor, database=tenant, loaders=loaders, clock=system_clock, feeds=feeds)


async def rename(database, shop, product, name):
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(update(Product).where(Product.id == product.id).values(name=name))
        await transaction.commit()
    return await number(database, shop)


def test_clients_know_all_types_of_events():
    assert {each.value for each in EventType} == outbox.TYPES
    assert {each.name for each in EventType} == {each.upper().replace(".", "_") for each in outbox.TYPES}


def test_each_field_takes_a_cursor_and_costs_ten_to_open():
    assert SCHEMA.subscription_type is not None
    for name, field in SCHEMA.subscription_type.fields.items():
        assert str(field.args["after"].type) == "BigInt"
        tree = parse(f"subscription {{ {name} {{ __typename }} }}")
        # What is opened, and a message.
        assert OperationPrice(Tariff(SCHEMA), tree.definitions[0], {}).requested() == 10 + 1
        assert not is_personal(field)


@pytest.mark.parametrize(
    ("actor", "is_allowed"),
    [
        (ANONYMOUS, False),
        (Actor(ActorKind.CUSTOMER, "c"), False),
        (Actor(ActorKind.STAFF, "s"), True),
        (Actor(ActorKind.KEY, "k"), True),
        (SYSTEM, True),
    ],
)
def test_staff_are_staff_and_keys(actor, is_allowed):
    if is_allowed:
        check(Open.STAFF, actor)
        return
    with pytest.raises(Exception, match=r"Sign in to do this\.|This is for staff\."):
        check(Open.STAFF, actor)


async def both(database, shop, feeds, after):
    """Return the streams of graphql-core and of the compiled executor, each with a context of its own."""
    values = {"after": str(after)}
    reference = await subscribe(
        SCHEMA, parse(PRODUCT), context_value=context_of(database, shop, feeds), variable_values=values
    )
    compiled = await subscribe_compiled(
        SCHEMA, PRODUCT, context_value=context_of(database, shop, feeds), variable_values=values
    )
    assert not isinstance(reference, ExecutionResult), reference
    assert not isinstance(compiled, ExecutionResult), compiled
    return reference, compiled


async def test_whoever_subscribes_by_himself_is_told_the_same(database, shop, feeds):
    product, _ = await factories.sellable(database, shop)
    draft, _ = await factories.sellable(database, shop, status="DRAFT")
    start = await number(database, shop)
    await rename(database, shop, draft, "Secret")
    await rename(database, shop, product, "Missed")
    streams = await both(database, shop, feeds, start)
    firsts = [await anext(each) for each in streams]
    pending = [asyncio.ensure_future(anext(each)) for each in streams]
    last = await rename(database, shop, product, "Live")
    await feeds._bus.publish([Nudge(shop.id, last)])
    seconds = await asyncio.gather(*pending)
    for results in (firsts, seconds):
        assert results[0].errors is results[1].errors is None
        assert results[0].data == results[1].data
    # Each is read anew: a stream that kept what it had read would show the old name.
    assert [each.data["productChanged"]["product"]["name"] for each in (firsts[0], seconds[0])] == ["Missed", "Live"]
    async with living(database, shop) as live:
        shared = await live.subscribe(PRODUCT, after=str(start))
        told = await shared.has(2)
    assert [each["sequence"] for each in told] == [str(last - 1), str(last)]
    assert told[1] == seconds[0].data["productChanged"]
    for each in streams:
        await each.aclose()


async def test_whoever_subscribes_by_himself_is_told_of_gaps(postgres, database, shop, feeds):
    product, _ = await factories.sellable(database, shop)
    last = await rename(database, shop, product, "Kept")
    await forget(postgres, shop, last - 1)
    for stream in await both(database, shop, feeds, 1):
        gap = await anext(stream)
        assert gap.data == {
            "productChanged": {"__typename": "Gap", "sequence": str(last), "from": "2", "to": str(last)}
        }
        await stream.aclose()


async def test_what_is_refused_opens_nothing(database, shop, feeds):
    for text, actor in ((PRODUCT, OWNER), ("subscription { events { __typename } }", ANONYMOUS)):
        context = context_of(database, shop, feeds, actor)
        stream = await subscribe(SCHEMA, parse(text), context_value=context, variable_values={"ids": ["x"] * 251})
        assert isinstance(stream, ExecutionResult)
        assert stream.errors
    context = context_of(database, shop, None)
    stream = await subscribe(SCHEMA, parse(PRODUCT), context_value=context)
    assert not isinstance(stream, ExecutionResult)
    with pytest.raises(LookupError):
        await anext(stream)
