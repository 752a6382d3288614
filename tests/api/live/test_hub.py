"""Subscriptions bring what has happened to those who may hear of it: each event once, in order."""

import pytest
from sqlalchemy import update

from core.errors import BadUserInput, Forbidden, Unauthenticated
from core.ids import encode_global_id
from models.inventory import StockLevel
from models.listings import Listing
from models.products import Product, Variant
from resolvers.context import ANONYMOUS, Actor, ActorKind, Permission
from tests import factories
from tests.api.live.hubs import EVENTS, PRICE, PRODUCT, STOCK, living, staff


@pytest.fixture
async def live(database, shop):
    async with living(database, shop) as made:
        await made.relay()
        yield made


def stocked(on_hand, variant):
    return update(StockLevel).where(StockLevel.variant_id == variant.id).values(on_hand=on_hand)


def variant_id(variant):
    return encode_global_id("Variant", variant.id)


def product_id(product):
    return encode_global_id("Product", product.id)


async def test_a_change_of_stock_arrives_with_the_variant_as_it_is(live, database, shop):
    _, variant = await factories.sellable(database, shop, on_hand=10)
    before = await live.relay()
    heard = await live.subscribe(STOCK, ids=[variant_id(variant)])
    await live.change(stocked(4, variant))
    await live.relay()
    assert await heard.has(1) == [
        {
            "__typename": "StockChanged",
            "sequence": str(before + 1),
            "isSnapshot": False,
            "variantId": variant_id(variant),
            "variant": {"sku": variant.sku, "availability": {"quantity": 4}},
        }
    ]
    assert heard.sequences == [before + 1]
    assert heard.subscription.sequence == before + 1
    assert heard.results[0]["extensions"] == {"cost": {"requestedQueryCost": 3, "actualQueryCost": 3}}


async def test_quantities_by_warehouse_are_for_those_who_may_see_them(live, database, shop):
    _, variant = await factories.sellable(database, shop, on_hand=10)
    await live.relay()
    text = """subscription { stockChanged { ... on StockChanged { variantId
        change { warehouse { slug } before { onHand available } after { onHand } } } } }"""
    seeing, blind = await live.subscribe(text, staff()), await live.subscribe(text)
    await live.change(stocked(4, variant))
    await live.relay()
    change = {"warehouse": {"slug": "main"}, "before": {"onHand": 10, "available": 10}, "after": {"onHand": 4}}
    assert await seeing.has(1) == [{"variantId": variant_id(variant), "change": change}]
    await blind.until(lambda: blind.results)
    (result,) = blind.results
    assert result["data"]["stockChanged"] == {"variantId": variant_id(variant), "change": None}
    assert [error["extensions"]["code"] for error in result["errors"]] == ["UNAUTHENTICATED"]


async def test_shoppers_hear_of_stock_that_the_channel_sells_from(live, database, shop):
    _, variant = await factories.sellable(database, shop)
    _, hidden = await factories.sellable(database, shop, status="DRAFT")
    other = await factories.warehouse(database, shop)
    await factories.stock(database, shop, variant, warehouse_id=other.id)
    await live.relay()
    shopper, owner = await live.subscribe(STOCK), await live.subscribe(STOCK, staff())
    keeper = await live.subscribe(STOCK, Actor(ActorKind.KEY, "k", frozenset({Permission.INVENTORY_READ})))
    elsewhere = update(StockLevel).where(StockLevel.warehouse_id == other.id)
    await live.change(elsewhere.values(on_hand=1))
    await live.change(stocked(3, hidden))
    await live.change(update(StockLevel).where(StockLevel.variant_id == variant.id).values(safety=1))
    last = await live.relay()
    await owner.until(lambda: owner.sequences and owner.sequences[-1] == last)
    assert len(owner.messages) == 4
    await keeper.has(3)
    assert {each["variantId"] for each in keeper.messages} == {variant_id(variant)}
    await shopper.has(1)
    assert [each["variantId"] for each in shopper.messages] == [variant_id(variant)]


async def test_nobody_hears_of_other_shops_or_of_ids_that_are_not_there(live, database, shop):
    other = await factories.shop(database)
    _, theirs = await factories.sellable(database, other)
    _, ours = await factories.sellable(database, shop)
    ids = [variant_id(theirs), encode_global_id("Variant", shop.id), product_id(ours), "nonsense"]
    deaf = await live.subscribe(STOCK, staff(), ids=ids)
    heard = await live.subscribe(STOCK, staff())
    await live.change(stocked(1, theirs), other)
    await live.change(stocked(2, ours))
    await live.relay(other)
    await live.relay()
    await heard.has(1)
    assert deaf.results == []


async def test_prices_are_told_as_far_as_they_sell_something(live, database, shop):
    _, variant = await factories.sellable(database, shop, price_minor=1_000)
    listing = update(Listing).where(Listing.variant_id == variant.id)
    channel = await factories.channel(database, shop)
    await live.relay()
    shopper, owner = await live.subscribe(PRICE), await live.subscribe(PRICE, staff())
    elsewhere = await live.subscribe(PRICE, staff(), channel=channel.slug)
    for values in ({"price_minor": 900}, {"is_published": False}, {"price_minor": 700}, {"is_published": True}):
        await live.change(listing.values(**values))
    await live.relay()
    await owner.has(4)
    seen = [
        [each and each["price"]["amountMinor"] for each in (told["change"]["before"], told["change"]["after"])]
        for told in await shopper.has(3)
    ]
    assert seen == [["1000", "900"], ["900", None], [None, "700"]]
    assert shopper.messages[0]["change"]["before"]["price"] == {"amountMinor": "1000", "currency": "USD"}
    assert elsewhere.results == []


async def test_a_product_that_vanishes_is_told_and_a_draft_never_is(live, database, shop):
    product, _ = await factories.sellable(database, shop)
    draft, _ = await factories.sellable(database, shop, status="DRAFT")
    unpriced = await factories.product(database, shop)
    await live.relay()
    shopper, owner = await live.subscribe(PRODUCT), await live.subscribe(PRODUCT, staff())
    named = await live.subscribe(PRODUCT, ids=[product_id(draft), product_id(unpriced)])

    async def set_status(row, **values):
        async with database.of_tenant(shop.id).write() as transaction:
            await transaction.execute(update(Product).where(Product.id == row.id).values(**values))
            await factories.refresh(transaction, [row.id])
            await transaction.commit()

    await set_status(draft, name="Secret")
    await set_status(unpriced, status="ARCHIVED")
    await set_status(product, name="New")
    await set_status(product, status="DRAFT")
    await set_status(product, name="Newer")
    last = await live.relay()
    await owner.until(lambda: owner.sequences and owner.sequences[-1] == last)
    assert len(owner.messages) == 5
    await shopper.has(2)
    assert [(each["productId"], each["product"]) for each in shopper.messages] == [
        # By the time of the first message it has vanished already.
        (product_id(product), None),
        (product_id(product), None),
    ]
    assert named.results == []


async def test_what_concerns_the_shop_alone_is_for_staff(live, database, shop):
    product, variant = await factories.sellable(database, shop)
    own = {Product: product.id, Variant: variant.id}
    last = await live.relay()
    shopper, owner = await live.subscribe(PRODUCT), await live.subscribe(PRODUCT, staff())
    await live.change(update(Listing).where(Listing.variant_id == variant.id).values(cost_minor=123))
    for table, row in own.items():
        await live.change(update(table).where(table.id == row).values(external_ref="erp-7"))
        await live.change(update(table).where(table.id == row).values(metadata_={"bin": "A7"}))
        await live.change(update(table).where(table.id == row).values(external_ref="erp-8", name="Heard"))
    assert await live.relay() == last + 7
    told = await owner.has(7)
    assert [each["type"] for each in told] == ["VARIANT_UPDATED"] + 3 * ["PRODUCT_UPDATED"] + 3 * ["VARIANT_UPDATED"]
    await shopper.has(2)
    resumed = await live.subscribe(PRODUCT, after=str(last))
    await resumed.has(2)
    assert [each["sequence"] for each in resumed.messages] == [str(last + 4), str(last + 7)]
    assert shopper.messages == resumed.messages


async def test_events_are_for_staff_each_type_by_its_permission(live, database, shop):
    product, variant = await factories.sellable(database, shop)
    await live.relay()
    for actor, code in ((ANONYMOUS, Unauthenticated), (Actor(ActorKind.CUSTOMER, "c"), Forbidden)):
        with pytest.raises(code):
            await live.subscribe(EVENTS, actor)
    keeper = Actor(ActorKind.KEY, "k", frozenset({Permission.INVENTORY_READ}))
    with pytest.raises(Forbidden):
        await live.subscribe(EVENTS, keeper, types=["STOCK_CHANGED", "PRODUCT_UPDATED"])
    with pytest.raises(Forbidden):
        await live.subscribe(EVENTS, Actor(ActorKind.KEY, "k"))
    all_of_keeper, owner = await live.subscribe(EVENTS, keeper), await live.subscribe(EVENTS, staff())
    chosen = await live.subscribe(EVENTS, staff(), types=["PRODUCT_UPDATED"])
    await live.change(update(Product).where(Product.id == product.id).values(name="New"))
    await live.change(stocked(4, variant))
    last = await live.relay()
    assert [each["type"] for each in await owner.has(2)] == ["PRODUCT_UPDATED", "STOCK_CHANGED"]
    renamed, counted = owner.messages
    assert renamed["objectId"] == product_id(product)
    assert renamed["object"] == {"__typename": "Product", "id": product_id(product)}
    assert counted["objectId"] == variant_id(variant)
    assert counted["stockChange"] == {"before": {"onHand": 10}, "after": {"onHand": 4, "available": 4}}
    assert await all_of_keeper.has(1) == [{**counted, "object": counted["object"]}]
    assert [each["sequence"] for each in await chosen.has(1)] == [str(last - 1)]


@pytest.mark.parametrize("after", ["-1", "999999999", "many", 1.5, True, "123456789012345678901"])
async def test_a_cursor_that_cannot_be_is_refused(live, database, shop, after):
    await factories.sellable(database, shop)
    latest = await live.relay()
    with pytest.raises(BadUserInput) as refused:
        await live.subscribe(STOCK, after=after)
    assert len(live.hub) == len(live.feeds) == 0
    if after in {"-1", "999999999"}:
        assert refused.value.extensions == {"argument": "after", "latestSequence": str(latest)}


async def test_too_many_ids_are_refused(live):
    with pytest.raises(BadUserInput):
        await live.subscribe(STOCK, ids=["x"] * 251)
