"""What a client may ask for."""

import asyncio
import dataclasses
import uuid

import pytest
import structlog

from core.budgets import budgets
from core.errors import CostExceeded, Overloaded, Throttled
from core.variables import Secret
from resolvers.context import ANONYMOUS, SYSTEM, Actor, ActorKind
from server.limits import configured_budget
from server.metrics import create_metrics
from tests import servers

CUSTOMER = Actor(ActorKind.CUSTOMER, "1")
BUDGETS = budgets("shopper=100/1,customer=100/1,staff=1000/1,key=1000/1,shop=2000/1")


@pytest.fixture
def metrics():
    return create_metrics()


@pytest.fixture
async def budget(settings, metrics):
    opened = configured_budget(dataclasses.replace(settings, budgets=BUDGETS, redis_url=None), metrics)
    async with opened.swept():
        yield opened


@pytest.fixture
def shop_id():
    return uuid.uuid4()


def available(payer):
    return payer.throttle_status()["currentlyAvailable"]


async def test_an_operation_is_charged_and_settled(budget, shop_id):
    payer = budget.payer(shop_id, CUSTOMER, None)
    assert available(payer) == 100
    await payer.charge(60)
    assert payer.throttle_status() == {"maximumAvailable": 100, "currentlyAvailable": 40, "restoreRate": 1}
    payer.settle(45)
    assert available(payer) == 55
    assert payer.headers() == {"ratelimit-policy": '"customer";q=100;w=100', "ratelimit": '"customer";r=55;t=45'}


async def test_it_is_settled_once(budget, shop_id):
    payer = budget.payer(shop_id, CUSTOMER, None)
    await payer.charge(60)
    payer.settle(45)
    payer.settle(1)
    assert available(payer) == 55


async def test_what_was_paid_before_counts(budget, shop_id):
    payer = budget.payer(shop_id, CUSTOMER, None)
    await payer.charge()
    assert available(payer) == 99
    await payer.charge(60)
    assert available(payer) == 40
    await payer.charge(10)
    assert available(payer) == 40
    payer.settle(2)
    assert available(payer) == 98


async def test_the_least_is_charged_for_what_costs_nothing(budget, shop_id):
    payer = budget.payer(shop_id, CUSTOMER, None)
    await payer.charge(0)
    payer.settle(0)
    assert available(payer) == 99


async def test_a_spent_budget_says_when_to_come_back(budget, metrics, shop_id):
    await budget.payer(shop_id, CUSTOMER, None).charge(80)
    payer = budget.payer(shop_id, CUSTOMER, None)
    with pytest.raises(Throttled) as raised:
        await payer.charge(50)
    assert raised.value.status == 429
    extensions = raised.value.extensions
    assert 29_000 < extensions.pop("retryAfterMs") <= 30_000
    status = {"maximumAvailable": 100, "currentlyAvailable": 20, "restoreRate": 1}
    assert extensions == {"cost": {"requestedQueryCost": 50, "throttleStatus": status}}
    assert payer.headers()["ratelimit"] == '"customer";r=20;t=80'
    labels = {"client": "customer", "budget": "own"}
    assert metrics.registry.get_sample_value("galleria_throttled_total", labels) == 1


async def test_the_budget_of_the_shop_is_named(budget, metrics, shop_id):
    charges = [budget.payer(shop_id, Actor(ActorKind.CUSTOMER, str(number)), None).charge(100) for number in range(20)]
    refusals = [outcome for outcome in await asyncio.gather(*charges, return_exceptions=True) if outcome is not None]
    assert {refusal.message[:29] for refusal in refusals} == {"The budget of this shop has t"}
    labels = {"client": "customer", "budget": "shop"}
    # 250 of 2,000 are reserved for staff, and 500 for whoever has not spent all of its own.
    assert metrics.registry.get_sample_value("galleria_throttled_total", labels) == 20 - 12
    assert await budget.payer(shop_id, Actor(ActorKind.CUSTOMER, "polite"), None).charge(10) is None
    assert await budget.payer(uuid.uuid4(), CUSTOMER, None).charge(100) is None


async def test_a_flood_of_shoppers_leaves_a_part_to_everybody_else(budget, shop_id):
    for number in range(2_000):
        try:
            await budget.payer(shop_id, ANONYMOUS, f"192.0.{number // 200}.{number % 200}").charge(5)
        except Throttled:
            break
    else:
        pytest.fail("nobody was refused")
    await budget.payer(shop_id, CUSTOMER, None).charge(20)
    await budget.payer(shop_id, Actor(ActorKind.STAFF, "1"), None).charge(200)


async def test_what_is_dearer_than_a_full_budget_never_passes(budget, shop_id):
    payer = budget.payer(shop_id, CUSTOMER, None)
    with pytest.raises(CostExceeded) as raised:
        await payer.charge(101)
    assert raised.value.extensions == {"requestedQueryCost": 101, "maximumQueryCost": 100}
    assert available(payer) == 100


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ((ANONYMOUS, "192.0.2.1"), (ANONYMOUS, "192.0.2.1"), True),
        ((ANONYMOUS, "192.0.2.1"), (ANONYMOUS, "192.0.2.2"), False),
        ((ANONYMOUS, "2001:db8::1"), (ANONYMOUS, "2001:db8::2"), True),
        ((CUSTOMER, "192.0.2.1"), (CUSTOMER, "192.0.2.2"), True),
        ((CUSTOMER, "192.0.2.1"), (ANONYMOUS, "192.0.2.1"), False),
        ((CUSTOMER, None), (Actor(ActorKind.STAFF, "1"), None), False),
        ((Actor(ActorKind.KEY, "1"), None), (Actor(ActorKind.STAFF, "1"), None), False),
        ((ANONYMOUS, None), (ANONYMOUS, None), True),
        ((SYSTEM, None), (ANONYMOUS, None), False),
    ],
)
async def test_who_shares_a_budget(budget, shop_id, one, other, is_shared):
    await budget.payer(shop_id, *one).charge(10)
    payer = budget.payer(shop_id, *other)
    await payer.charge(10)
    status = payer.throttle_status()
    assert status["maximumAvailable"] - status["currentlyAvailable"] == (20 if is_shared else 10)


async def test_charges_and_leases_are_counted(budget, metrics, shop_id):
    actor = Actor(ActorKind.STAFF, "1")
    for _ in range(5):
        await budget.payer(shop_id, actor, None).charge(10)
    value = metrics.registry.get_sample_value
    assert value("galleria_budget_charges_total", {"source": "store"}) == 2
    assert value("galleria_budget_charges_total", {"source": "lease"}) == 3
    assert value("galleria_budget_lease_points") == 70


@pytest.fixture
def nowhere(settings):
    with servers.free_port() as reserved:
        url = Secret(f"redis://127.0.0.1:{reserved.getsockname()[1]}/0")
        yield dataclasses.replace(settings, budgets=BUDGETS, redis_url=url)


async def test_without_redis_each_process_keeps_budgets(nowhere, metrics, shop_id):
    budget = configured_budget(nowhere, metrics)
    async with budget.swept():
        with structlog.testing.capture_logs() as logs:
            await budget.payer(shop_id, CUSTOMER, None).charge(60)
            with pytest.raises(Throttled):
                await budget.payer(shop_id, CUSTOMER, None).charge(60)
        assert [entry["event"] for entry in logs] == ["Redis does not keep the budgets"]
        assert metrics.registry.get_sample_value("galleria_budget_errors_total") == 1


async def test_without_redis_charges_are_refused_where_the_settings_say_so(nowhere, metrics, shop_id):
    budget = configured_budget(dataclasses.replace(nowhere, budget_outage="closed"), metrics)
    async with budget.swept():
        for _ in range(3):
            with pytest.raises(Overloaded) as raised:
                await budget.payer(shop_id, CUSTOMER, None).charge(60)
        assert (raised.value.status, raised.value.extensions) == (503, {"retryAfterMs": 1000})
        assert metrics.registry.get_sample_value("galleria_budget_errors_total") == 1


async def test_what_is_held_goes_back_in_the_end(settings, metrics, shop_id):
    actor = Actor(ActorKind.STAFF, "1")
    one, other = (
        configured_budget(dataclasses.replace(settings, budgets=BUDGETS), metrics)
        for metrics in (metrics, create_metrics())
    )
    async with other.swept():
        async with one.swept():
            for _ in range(2):
                await one.payer(shop_id, actor, None).charge(10)
            assert one.leases.points == 100
        payer = other.payer(shop_id, actor, None)
        await payer.charge(10)
        assert 970 <= available(payer) <= 971
