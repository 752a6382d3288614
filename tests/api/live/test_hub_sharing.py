"""Equals share what is made for them, others share nothing; everybody pays, and may go on only as long as he may."""

import asyncio
import dataclasses

import pytest
from graphql import get_named_type, is_abstract_type
from sqlalchemy import update

from core.budgets import budgets
from core.errors import Overloaded, ShopSuspended, Throttled, TokenExpired, Unauthenticated
from core.ids import encode_global_id
from models.inventory import StockLevel
from resolvers.context import ANONYMOUS, Actor, ActorKind, Permission
from schema import policies
from server.entrance import Caller
from server.limits import configured_budget
from server.live import execution
from server.metrics import create_metrics
from tests import factories
from tests.api.live.hubs import EVENTS, STOCK, STORE, Collected, choose, living, staff
from tests.resolvers.feeding import announce

SEQUENCES = "subscription($after: BigInt) { events(after: $after) { ... on ShopEvent { sequence } } }"
OBJECTS = "subscription { events { ... on ShopEvent { object { id } } } }"
READING = "subscription { stockChanged { ... on StockChanged { variant { price { amount } } } } }"


@pytest.fixture
async def live(database, shop):
    async with living(database, shop) as made:
        await made.relay()
        yield made


@pytest.fixture
async def budget(settings):
    points = budgets("shopper=40/1,customer=100/1,staff=1000/1,key=1000/1,shop=100000/1")
    opened = configured_budget(dataclasses.replace(settings, budgets=points, redis_url=None), create_metrics())
    async with opened.swept():
        yield opened


async def heard_of(live, everybody, count=1):
    """Let something happen, and wait until all have heard of it."""
    await announce(live.database, live.shop, count)
    await live.relay()
    await asyncio.gather(*(each.has(count) for each in everybody))


async def test_equals_share_one_execution_and_one_serialisation(live):
    await live.relay()

    class Keeping(Collected):
        def deliver(self, sequence, payload):
            super().deliver(sequence, payload)
            self.payload = payload

    last = await live.relay()
    # By whom, and where he resumed, makes no difference.
    everybody = [
        await live.subscribe(SEQUENCES, subscriber=Keeping(Caller(live.shop, staff(subject=f"{each}"))), **after)
        for each in range(10)
        for after in ({}, {"after": str(last)})
    ]
    assert live.hub.executions == 1
    opened = live.door.opened
    await heard_of(live, everybody)
    assert live.door.opened == opened + 1
    assert len({id(each.payload) for each in everybody}) == 1


async def test_events_that_come_together_are_read_together(live, database, shop):
    product, _ = await factories.sellable(database, shop)
    variants = [await factories.variant(database, shop, product) for _ in range(5)]
    for each in variants:
        await factories.stock(database, shop, each)
    last = await live.relay()
    heard = await live.subscribe(STOCK)
    read = len(live.door.statistics)
    for on_hand in range(4):
        for each in variants:
            await live.change(update(StockLevel).where(StockLevel.variant_id == each.id).values(on_hand=on_hand))
    await live.relay()
    await heard.has(20)
    assert heard.sequences == list(range(last + 1, last + 21))
    assert {each["variant"]["availability"]["quantity"] for each in heard.messages} == {3}
    # Which may be heard of; then the variants, and their availability.
    assert [each.statements for each in live.door.statistics[read:]] == [1, 2]


@pytest.mark.parametrize(("bound", "value"), [("EVENTS_AT_ONCE", 2), ("POINTS_AT_ONCE", 5)])
async def test_only_so_many_are_read_together(live, monkeypatch, bound, value):
    monkeypatch.setattr(execution, bound, value)
    heard = await live.subscribe(OBJECTS, staff())
    opened = live.door.opened
    await heard_of(live, [heard], 5)
    # A message of these costs 2.
    assert live.door.opened == opened + 3


async def test_an_event_is_told_once_in_the_same_words_to_all_who_hear_of_it(live, database, shop):
    _, variant = await factories.sellable(database, shop)
    _, second = await factories.sellable(database, shop)
    await live.relay()

    class Keeping(Collected):
        def deliver(self, sequence, payload):
            super().deliver(sequence, payload)
            self.payload = payload

    ids = [[variant], [variant, second], [second, variant]]
    everybody = [
        await live.subscribe(
            STOCK,
            subscriber=Keeping(Caller(shop, ANONYMOUS)),
            ids=[encode_global_id("Variant", each.id) for each in chosen],
        )
        for chosen in ids
    ]
    apart = await live.subscribe(STOCK, staff())
    assert live.hub.executions == 4
    opened = live.door.opened
    await live.change(update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=3))
    await live.relay()
    await asyncio.gather(*(each.has(1) for each in [*everybody, apart]))
    assert len({id(each.payload) for each in everybody}) == 1
    # Whether shoppers may hear of it, what they are told, and what staff is.
    assert live.door.opened == opened + 3


async def test_what_is_told_depends_on_variables_of_its_selection(live, database, shop):
    text = """subscription($ids: [ID!], $no: Boolean!) { stockChanged(variantIds: $ids) {
        ... on StockChanged { variantId variant @skip(if: $no) { sku } } } }"""
    _, variant = await factories.sellable(database, shop)
    await live.relay()
    ids = [encode_global_id("Variant", variant.id)]
    more, less = [await live.subscribe(text, ids=ids, no=no) for no in (False, True)]
    await live.change(update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=3))
    await live.relay()
    await asyncio.gather(more.has(1), less.has(1))
    told = {"variantId": ids[0]}
    assert (more.messages, less.messages) == ([{**told, "variant": {"sku": variant.sku}}], [told])


async def test_a_shop_that_is_renamed_moves_nobody(live):
    caller = Caller(live.shop, staff())
    renamed = Caller(dataclasses.replace(live.shop, name="Renamed", slug="renamed"), staff())
    heard = await live.subscribe(SEQUENCES, subscriber=Collected(caller))
    live.door.changes[caller] = renamed
    await heard_of(live, [heard])
    later = await live.subscribe(SEQUENCES, subscriber=Collected(renamed))
    assert (live.hub.statistics.moved, live.hub.executions) == (0, 1)
    await heard_of(live, [later])


def test_no_message_tells_what_a_shop_is_called():
    seen, to_see = set(), [STORE.schema.subscription_type]
    while to_see:
        kind = to_see.pop()
        if kind in seen:
            continue
        seen.add(kind)
        to_see += STORE.schema.get_possible_types(kind) if is_abstract_type(kind) else []
        to_see += [get_named_type(field.type) for field in getattr(kind, "fields", {}).values()]
    assert len(seen) > 20
    assert seen.isdisjoint({STORE.schema.type_map["Shop"], STORE.schema.query_type})


async def test_others_share_nothing(live, database):
    other = await factories.shop(database)
    key = Actor(ActorKind.KEY, "tester", staff().permissions)
    renamed = dataclasses.replace(live.shop, default_channel_id=other.default_channel_id)
    await live.subscribe(EVENTS, staff())
    await live.subscribe(EVENTS, staff("support"))
    await live.subscribe(EVENTS, key)
    await live.subscribe(EVENTS, staff(), shop=other)
    await live.subscribe(EVENTS, staff(), shop=renamed)
    await live.subscribe(EVENTS, staff(), types=["STOCK_CHANGED"])
    await live.subscribe(EVENTS + " ", staff())
    assert live.hub.executions == 7
    channel = await factories.channel(database, live.shop)
    await live.subscribe(STOCK)
    await live.subscribe(STOCK, Actor(ActorKind.CUSTOMER, "c"))
    named = "subscription($channel: String) { stockChanged(channel: $channel) { __typename } }"
    await live.subscribe(named)
    await live.subscribe(named, channel=channel.slug)
    assert live.hub.executions == 11


async def test_only_where_they_resume_keeps_nobody_apart(live):
    text = """subscription($after: BigInt, $no: Boolean = false) {
        events(after: $after) { ... on ShopEvent { sequence @skip(if: $no) } } }"""
    last = await live.relay()
    await live.subscribe(text, staff(), after=str(last))
    await live.subscribe(text, staff(), after=str(last - 1))
    assert live.hub.executions == 1
    await live.subscribe(text, staff(), after=str(last), no=True)
    assert live.hub.executions == 2


async def test_what_is_shared_is_executed_without_a_subject(live, monkeypatch):
    seen = []
    opens = live.door.open
    monkeypatch.setattr(live.door, "open", lambda caller: seen.append(caller.actor.subject) or opens(caller))
    heard = await live.subscribe(SEQUENCES, staff(subject="ada"))
    await heard_of(live, [heard])
    assert seen == ["ada", None]


async def test_a_field_that_is_said_to_be_personal_is_never_shared(live, monkeypatch):
    field = STORE.schema.type_map["ShopEvent"].fields["type"]
    text = "subscription { events { ... on ShopEvent { sequence type } } }"
    definition = field.extensions["strawberry-definition"]
    monkeypatch.setattr(definition, "metadata", {**definition.metadata, policies._PERSONAL: True})
    seen = []
    opens = live.door.open
    monkeypatch.setattr(live.door, "open", lambda caller: seen.append(caller.actor.subject) or opens(caller))
    everybody = [await live.subscribe(text, staff(subject=each)) for each in ("ada", "bob", "ada")]
    assert live.hub.executions == 2
    await heard_of(live, everybody)
    assert seen[:3] == ["ada", "bob", "ada"]
    assert sorted(seen[3:]) == ["ada", "bob"]


@pytest.mark.parametrize(
    "refusal", [TokenExpired("The token has expired."), ShopSuspended("The shop is not served at present.")]
)
async def test_who_may_no_longer_ask_hears_no_more(live, refusal):
    caller = Caller(live.shop, staff(subject="gone"))
    gone, stays = (
        await live.subscribe(SEQUENCES, subscriber=Collected(caller)),
        await live.subscribe(SEQUENCES, staff()),
    )
    await heard_of(live, [gone, stays])
    live.door.changes[caller] = refusal
    await announce(live.database, live.shop, 1)
    last = await live.relay()
    (failure,) = await gone.is_over()
    assert (failure.code, failure.message) == (refusal.code, refusal.message)
    assert failure.extensions == {"sequence": str(last - 1)}
    assert gone.sequences == [last - 1]
    await stays.has(2)
    assert len(live.hub) == 1


async def test_who_loses_a_permission_sees_the_next_event_without_it(live, database, shop):
    _, variant = await factories.sellable(database, shop)
    await live.relay()
    text = "subscription { stockChanged { ... on StockChanged { sequence change { after { onHand } } } } }"
    caller = Caller(shop, staff())
    heard = await live.subscribe(text, subscriber=Collected(caller))
    change = update(StockLevel).where(StockLevel.variant_id == variant.id)
    await live.change(change.values(on_hand=5))
    await live.relay()
    await heard.has(1)
    less = Actor(ActorKind.STAFF, "tester", frozenset({Permission.CATALOGUE_READ}))
    live.door.changes[caller] = Caller(shop, less)
    await live.change(change.values(on_hand=4))
    last = await live.relay()
    await heard.until(lambda: len(heard.results) == 2)
    assert heard.results[0]["data"]["stockChanged"]["change"] == {"after": {"onHand": 5}}
    told = heard.results[1]
    assert told["data"]["stockChanged"] == {"sequence": str(last), "change": None}
    assert [error["extensions"]["code"] for error in told["errors"]] == ["FORBIDDEN"]
    live.door.changes[caller] = caller
    await live.change(change.values(on_hand=3))
    await live.relay()
    await heard.until(lambda: len(heard.results) == 3)
    assert heard.results[2]["data"]["stockChanged"]["change"] == {"after": {"onHand": 3}}


async def test_who_sees_other_things_in_the_middle_misses_nothing(live):
    caller = Caller(live.shop, staff())
    now = Caller(live.shop, staff("support"))

    class Changing(Collected):
        def deliver(self, sequence, payload):
            super().deliver(sequence, payload)
            if len(self.results) == 3:
                live.door.changes[caller] = now

    changing = await live.subscribe(SEQUENCES, subscriber=Changing(caller))
    staying = await live.subscribe(SEQUENCES, staff(subject="stays"))
    await heard_of(live, [changing, staying], 8)
    assert changing.sequences == staying.sequences == list(range(staying.sequences[0], staying.sequences[0] + 8))
    assert live.hub.statistics.moved >= 1


async def test_who_may_not_hear_any_more_is_told_so(live):
    caller = Caller(live.shop, staff())
    heard = await live.subscribe(EVENTS, subscriber=Collected(caller))
    live.door.changes[caller] = Caller(live.shop, Actor(ActorKind.STAFF, "tester"))
    await announce(live.database, live.shop, 1)
    await live.relay()
    (failure,) = await heard.is_over()
    assert failure.code == "FORBIDDEN"
    assert heard.results == []


async def test_opening_and_messages_are_paid_for(live, budget):
    payer = budget.payer(live.shop.id, staff(), None)
    heard = await live.subscribe(OBJECTS, staff(), payer=payer)
    assert payer.throttle_status()["currentlyAvailable"] == 1000 - 10
    await heard_of(live, [heard], 20)
    points = {each["extensions"]["cost"]["actualQueryCost"] for each in heard.results}
    # The events are of products that never were, so that there is no object to pay for.
    assert points == {1}
    assert {each["extensions"]["cost"]["requestedQueryCost"] for each in heard.results} == {2}
    heard.subscription.close()
    await asyncio.gather(*live.hub._tasks)
    assert payer.throttle_status()["currentlyAvailable"] == 1000 - 10 - 20


async def test_what_is_shared_is_paid_for_together(live, budget, database, shop):
    _, variant = await factories.sellable(database, shop)
    await live.relay()
    payers = [budget.payer(shop.id, staff(subject=f"{each}"), None) for each in range(3)]
    everybody = [await live.subscribe(STOCK, staff(subject=f"{each}"), payer=payers[each]) for each in range(3)]
    for each in range(8):
        await live.change(update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=each))
    await live.relay()
    await asyncio.gather(*(each.has(8) for each in everybody))
    for each in everybody:
        each.subscription.close()
    await asyncio.gather(*live.hub._tasks)
    # A message costs 3: the event, the variant and its availability.
    assert [each.throttle_status()["currentlyAvailable"] for each in payers] == [1000 - 10 - 8] * 3


async def test_a_spent_budget_ends_a_subscription_that_resumes_later(live, budget, database, shop):
    _, variant = await factories.sellable(database, shop)
    start = await live.relay()
    poor = await live.subscribe(READING, payer=budget.payer(shop.id, ANONYMOUS, "192.0.2.1"))
    rich = await live.subscribe(READING, staff(), payer=budget.payer(shop.id, staff(), None))
    for each in range(20):
        await live.change(update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=each))
    last = await live.relay()
    (failure,) = await poor.is_over()
    assert failure.code == Throttled.code
    assert 0 < failure.extensions["retryAfterMs"] < 60_000
    resume = int(failure.extensions["sequence"])
    assert start < resume < last
    assert poor.sequences == list(range(start + 1, resume + 1))
    await rich.has(20)
    with pytest.raises(Throttled):
        await asyncio.gather(
            *(live.subscribe(READING, payer=budget.payer(shop.id, ANONYMOUS, "192.0.2.1")) for _ in range(5))
        )


async def test_a_database_that_does_not_answer_is_asked_again(live, monkeypatch):
    monkeypatch.setattr(execution, "PAUSES_SECONDS", (0.0, 0.0))
    heard = await live.subscribe(SEQUENCES, staff())
    fails = iter([Overloaded("away"), Overloaded("away"), None])
    executes = execution.Execution._executed

    async def executed(self, context, messages):
        if (error := next(fails, None)) is not None:
            raise error
        return await executes(self, context, messages)

    monkeypatch.setattr(execution.Execution, "_executed", executed)
    await heard_of(live, [heard])


async def test_what_cannot_be_told_ends_the_subscription_and_is_told_later(live, monkeypatch):
    monkeypatch.setattr(execution, "PAUSES_SECONDS", (0.0,))
    heard, start = await live.subscribe(SEQUENCES, staff()), await live.relay()

    async def executed(*_, **__):
        raise Overloaded("away")

    with monkeypatch.context() as away:
        away.setattr(execution.Execution, "_executed", executed)
        await announce(live.database, live.shop, 2)
        last = await live.relay()
        (failure,) = await heard.is_over()
    assert failure.code == Overloaded.code
    assert failure.extensions == {"retryAfterMs": 1_000, "sequence": str(start)}
    again = await live.subscribe(SEQUENCES, staff(), after=failure.extensions["sequence"])
    await again.has(2)
    assert again.sequences == [last - 1, last]


async def test_an_error_of_a_field_is_told_once_and_the_subscription_lives_on(live, monkeypatch, database, shop):
    _, variant = await factories.sellable(database, shop)
    await live.relay()
    heard = await live.subscribe(STOCK)
    field = STORE.schema.type_map["Variant"].fields["sku"]

    def breaks(*_, **__):
        raise RuntimeError("broken")

    change = update(StockLevel).where(StockLevel.variant_id == variant.id)
    with monkeypatch.context() as broken:
        broken.setattr(field, "resolve", breaks)
        for plans in choose(STOCK, {}).operation.executable._plans.values():
            plans.__init__()
        await live.change(change.values(on_hand=1))
        await live.relay()
        await heard.until(lambda: heard.results)
    for plans in choose(STOCK, {}).operation.executable._plans.values():
        plans.__init__()
    assert [error["extensions"]["code"] for error in heard.results[0]["errors"]] == ["INTERNAL"]
    assert "broken" not in str(heard.results)
    assert [str(error) for error in live.reported] == ["broken"]
    live.reported.clear()
    await live.change(change.values(on_hand=2))
    await live.relay()
    await heard.until(lambda: len(heard.results) == 2)
    assert heard.results[1]["data"]["stockChanged"]["variantId"] == encode_global_id("Variant", variant.id)
    assert "errors" not in heard.results[1]


async def test_metrics_tell_what_is_shared_and_how_late_it_is(live):
    metrics = create_metrics()
    live.hub.watch(metrics)
    everybody = [await live.subscribe(SEQUENCES, staff(subject=f"{each}")) for each in range(3)]
    with pytest.raises(Unauthenticated):
        await live.subscribe(SEQUENCES)
    await heard_of(live, everybody, 2)
    live.door.changes[everybody[0].caller] = TokenExpired("The token has expired.")
    await announce(live.database, live.shop, 1)
    await live.relay()
    await everybody[0].is_over()
    await everybody[1].has(3)

    def sample(name, **labels):
        return metrics.registry.get_sample_value(f"galleria_{name}", labels)

    assert (sample("subscriptions_open"), sample("subscription_executions")) == (2, 1)
    assert (sample("subscriptions_opened_total"), sample("subscriptions_refused_total")) == (3, 1)
    assert (sample("messages_made_total"), sample("messages_delivered_total")) == (3, 8)
    assert sample("subscription_ends_total", code="TOKEN_EXPIRED") == 1
    assert sample("subscription_lag_seconds_count", topic="events") >= 2
