"""Every mutation, done: it changes the shop that it is for, and no other."""

import pytest

from tests import factories
from tests.api.catalogues import catalogue
from tests.api.isolation import MUTATIONS as ARGUMENTS
from tests.api.mutating import MUTATIONS, dump, operation, unchanged

REFUSED = {
    "categoryDelete": "IN_USE",
    "channelDelete": "IN_USE",
    "listingBulkCreate": "DUPLICATE",
    "listingCreate": "DUPLICATE",
    "warehouseDelete": "IN_USE",
}
"""Mutations whose example is refused, and why."""

AS_IT_WAS = {
    "categoryBulkUpdate",
    "channelWarehousesSet",
    "collectionProductsAdd",
    "mediaBulkUpdate",
    "mediaUpdate",
    "productRestore",
    "relatedProductsSet",
    "reviewBulkModerate",
    "reviewModerate",
    "variantRestore",
}
"""Mutations whose example asks for what is so already."""

TOLD_ALL_THE_SAME = {"channelWarehousesSet", "relatedProductsSet"}
"""Those that take all rows away and bring them again, so that events tell of it."""


@pytest.mark.parametrize("name", sorted(MUTATIONS))
async def test_a_mutation_changes_its_own_shop_alone(api, database, name):
    ours, theirs = [await catalogue(database, await factories.shop(database), 2) for _ in range(2)]
    arguments = ARGUMENTS[name](ours)
    before = await dump(database, ours.shop)

    async with unchanged(database, theirs.shop):
        answer = await api.of(ours.shop)(operation(name, "__typename", arguments), arguments, role="owner")

    payload = answer.data[name]
    codes = [error["code"] for each in payload.get("results", [payload]) for error in each["userErrors"]]
    assert codes == ([REFUSED[name]] if name in REFUSED else [])
    is_as_it_was = name in REFUSED or name in AS_IT_WAS
    after = await dump(database, ours.shop)
    if name in TOLD_ALL_THE_SAME:
        after["outbox_event"] = before["outbox_event"]
    assert (after == before) is is_as_it_was
