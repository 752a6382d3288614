"""Stock, warehouses and channels: what is written shows at once, also in listings."""

from tests import factories
from tests.api.mutating import done, id_of, listed, refusals, unchanged, write


async def test_stock_is_set_and_decides_what_is_available(api, database, shop):
    product, variant = await factories.sellable(database, shop, on_hand=5)
    main = (await api("{ warehouses { nodes { id } } }", role="inventory")).data["warehouses"]["nodes"][0]["id"]
    place = {"variantId": id_of(variant), "warehouseId": main}
    shown = "variant { availability { isAvailable quantity } stockLevels { onHand safety available version } }"

    some = await done(
        api, "stockSet", shown, role="inventory", input={**place, "onHand": 3, "safety": 1}, expectedVersion=1
    )
    bulk = await write(
        api,
        "stockBulkSet",
        shown,
        role="inventory",
        changes=[{"input": {**place, "onHand": 0}, "expectedVersion": version} for version in (1, 2)],
        errorPolicy="SKIP_FAILED",
    )

    assert some == {
        "availability": {"isAvailable": True, "quantity": 2},
        "stockLevels": [{"onHand": 3, "safety": 1, "available": 2, "version": 2}],
    }
    assert bulk["applied"] == 1
    assert bulk["results"][0]["userErrors"][0]["path"] == ["changes", "0", "expectedVersion"]
    assert bulk["results"][0]["userErrors"][0]["currentVersion"] == 2
    assert bulk["results"][1]["variant"]["availability"] == {"isAvailable": False, "quantity": 0}
    assert await listed(api, filter={"isAvailable": True}) == []
    assert await listed(api, filter={"isAvailable": False}) == [product.slug]


async def test_a_warehouse_goes_once_it_is_empty(api, database, shop):
    warehouse = await done(
        api,
        "warehouseCreate",
        "warehouse { id slug name country isActive version }",
        role="inventory",
        input={"name": "Köln", "country": "DE"},
    )
    _, variant = await factories.sellable(database, shop)
    place = {"variantId": id_of(variant), "warehouseId": warehouse["id"]}
    await done(api, "stockSet", input={**place, "onHand": 1}, expectedVersion=0)

    async with unchanged(database, shop):
        in_use = await refusals(api, "warehouseDelete", id=warehouse["id"])
    await done(api, "stockSet", input={**place, "onHand": 0}, expectedVersion=1)
    changed = await done(
        api, "warehouseUpdate", "warehouse { isActive }", id=warehouse["id"], input={"isActive": False}
    )

    assert warehouse == {**warehouse, "slug": "koln", "name": "Köln", "country": "DE", "isActive": True, "version": 1}
    assert in_use == [("IN_USE", "id")]
    assert changed == {"isActive": False}
    assert await done(api, "warehouseDelete", "deletedId", id=warehouse["id"]) == warehouse["id"]


async def test_a_new_default_channel_has_its_own_prices(api, database, shop):
    _, variant = await factories.sellable(database, shop, slug="shirt")
    shown = "channel { id slug name currency defaultCountry pricesIncludeTax isDefault version }"
    given = {"name": "Japan", "currency": "JPY", "defaultCountry": "JP", "pricesIncludeTax": False}

    channel = await done(api, "channelCreate", shown, input=given)
    listing = {"channelId": channel["id"], "variantId": id_of(variant), "price": "1500"}
    await done(api, "listingCreate", input=listing)
    changed = await done(api, "channelUpdate", shown, id=channel["id"], input={"isDefault": True})

    expected = {**given, "id": channel["id"], "slug": "japan", "isDefault": False, "version": 1}
    assert channel == expected
    assert changed == {**expected, "isDefault": True, "version": 2}
    query = """{
      channels { slug isDefault }
      products(channel: "japan", filter: { price: { minimum: "1500" } }) {
        nodes { slug priceRange { minimum { amount currency } } } }
    }"""
    assert (await api(query)).data == {
        "channels": [{"slug": "default", "isDefault": False}, {"slug": "japan", "isDefault": True}],
        "products": {"nodes": [{"slug": "shirt", "priceRange": {"minimum": {"amount": "1500", "currency": "JPY"}}}]},
    }
    old = (await api("{ channels { id slug } }")).data["channels"][0]["id"]
    assert await done(api, "channelDelete", "deletedId", id=old) == old
