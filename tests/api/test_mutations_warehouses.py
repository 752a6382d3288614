"""Which warehouses a channel sells from."""

from core.ids import encode_global_id
from tests import factories

SET = """
mutation ($id: ID!, $warehouseIds: [ID!]!) {
  channelWarehousesSet(id: $id, warehouseIds: $warehouseIds) { channel { slug } userErrors { code path } }
}
"""
QUANTITY = "{ products { nodes { availability { quantity } } } }"


async def test_a_channel_sells_from_the_warehouses_set(api, shop, database):
    _, variant = await factories.sellable(database, shop, on_hand=3)
    other = await factories.warehouse(database, shop)
    await factories.stock(database, shop, variant, warehouse_id=other.id, on_hand=40)
    channel = encode_global_id("Channel", shop.default_channel_id)

    before = await api(QUANTITY)
    done = await api(SET, {"id": channel, "warehouseIds": [encode_global_id("Warehouse", other.id)]}, role="owner")
    after = await api(QUANTITY)
    refused = await api(SET, {"id": channel, "warehouseIds": [channel]}, role="owner")

    assert before.data["products"]["nodes"] == [{"availability": {"quantity": 3}}]
    assert done.data["channelWarehousesSet"] == {"channel": {"slug": "default"}, "userErrors": []}
    assert after.data["products"]["nodes"] == [{"availability": {"quantity": 40}}]
    assert refused.data["channelWarehousesSet"]["userErrors"] == [{"code": "NOT_FOUND", "path": ["warehouseIds"]}]
    assert (await api(QUANTITY)).data == after.data
