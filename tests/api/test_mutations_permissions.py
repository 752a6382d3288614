"""Who may do what: every mutation, asked for by everybody."""

import pytest

from core.database import Database
from tests import factories
from tests.api.catalogues import Catalogue, catalogue
from tests.api.isolation import MUTATIONS as ARGUMENTS
from tests.api.mutating import MUTATIONS, operation

ACTORS = (None, "customer", "owner", "catalogue", "inventory", "support")

CATALOGUE = ("owner", "catalogue")
INVENTORY = ("owner", "inventory")
SIGNED_IN = ("customer", "owner", "catalogue", "inventory", "support")

ALLOWED: dict[str, tuple[str, ...]] = {
    "attributeCreate": CATALOGUE,
    "attributeDelete": CATALOGUE,
    "attributeUpdate": CATALOGUE,
    "attributeValueBulkCreate": CATALOGUE,
    "attributeValueBulkDelete": CATALOGUE,
    "attributeValueBulkUpdate": CATALOGUE,
    "attributeValueCreate": CATALOGUE,
    "attributeValueDelete": CATALOGUE,
    "attributeValueReorder": CATALOGUE,
    "attributeValueUpdate": CATALOGUE,
    "categoryBulkCreate": CATALOGUE,
    "categoryBulkDelete": CATALOGUE,
    "categoryBulkUpdate": CATALOGUE,
    "categoryCreate": CATALOGUE,
    "categoryDelete": CATALOGUE,
    "categoryReorder": CATALOGUE,
    "categoryUpdate": CATALOGUE,
    "channelCreate": CATALOGUE,
    "channelDelete": CATALOGUE,
    "channelUpdate": CATALOGUE,
    "channelWarehousesSet": CATALOGUE,
    "collectionBulkCreate": CATALOGUE,
    "collectionBulkDelete": CATALOGUE,
    "collectionBulkUpdate": CATALOGUE,
    "collectionCreate": CATALOGUE,
    "collectionDelete": CATALOGUE,
    "collectionProductsAdd": CATALOGUE,
    "collectionProductsRemove": CATALOGUE,
    "collectionProductsReorder": CATALOGUE,
    "collectionUpdate": CATALOGUE,
    "listingBulkCreate": CATALOGUE,
    "listingBulkDelete": CATALOGUE,
    "listingBulkUpdate": CATALOGUE,
    "listingCreate": CATALOGUE,
    "listingDelete": CATALOGUE,
    "listingUpdate": CATALOGUE,
    "mediaBulkCreate": CATALOGUE,
    "mediaBulkDelete": CATALOGUE,
    "mediaBulkUpdate": CATALOGUE,
    "mediaCreate": CATALOGUE,
    "mediaDelete": CATALOGUE,
    "mediaReorder": CATALOGUE,
    "mediaUpdate": CATALOGUE,
    "productArchive": CATALOGUE,
    "productAttributesSet": CATALOGUE,
    "productBulkCreate": CATALOGUE,
    "productBulkDelete": CATALOGUE,
    "productBulkUpdate": CATALOGUE,
    "productCreate": CATALOGUE,
    "productDelete": CATALOGUE,
    "productRestore": CATALOGUE,
    "productTypeAttributesSet": CATALOGUE,
    "productTypeCreate": CATALOGUE,
    "productTypeDelete": CATALOGUE,
    "productTypeUpdate": CATALOGUE,
    "productUpdate": CATALOGUE,
    "relatedProductsSet": CATALOGUE,
    "reviewBulkModerate": CATALOGUE,
    "reviewCreate": SIGNED_IN,
    "reviewDelete": CATALOGUE,
    "reviewModerate": CATALOGUE,
    "stockBulkSet": INVENTORY,
    "stockSet": INVENTORY,
    "translationsSet": CATALOGUE,
    "variantAttributesSet": CATALOGUE,
    "variantBulkCreate": CATALOGUE,
    "variantBulkDelete": CATALOGUE,
    "variantBulkUpdate": CATALOGUE,
    "variantCreate": CATALOGUE,
    "variantDelete": CATALOGUE,
    "variantReorder": CATALOGUE,
    "variantRestore": CATALOGUE,
    "variantUpdate": CATALOGUE,
    "warehouseCreate": INVENTORY,
    "warehouseDelete": INVENTORY,
    "warehouseUpdate": INVENTORY,
}
"""Who may ask for each mutation; nobody else may."""


@pytest.fixture(scope="module")
async def made(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), 2)


def test_every_mutation_says_who_may():
    assert set(ALLOWED) == set(MUTATIONS)


# What one of them leaves behind, the next one finds.
@pytest.mark.asked_once
@pytest.mark.parametrize("name", sorted(MUTATIONS))
async def test_a_mutation_is_done_for_those_who_may(api, made, name):
    arguments = ARGUMENTS[name](made)
    query = operation(name, "__typename", arguments, errors="")
    asked = api.of(made.shop)

    codes = {role: (await asked(query, arguments, role=role)).codes for role in ACTORS}

    refused = {role: "FORBIDDEN" if role else "UNAUTHENTICATED" for role in ACTORS}
    assert codes == {role: [] if role in ALLOWED[name] else [refused[role]] for role in ACTORS}
