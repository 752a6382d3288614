"""Every mutation that changes something announces it, says who did it, and one that is refused announces nothing."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from core.ids import encode_global_id
from models.outbox import TYPES
from schema.views import type_name_of
from tests import factories
from tests.api.catalogues import Catalogue, catalogue
from tests.api.isolation import MUTATIONS as ARGUMENTS
from tests.api.mutating import MUTATIONS, done, operation
from tests.models.outboxes import events, last_place, types

ANNOUNCED: Mapping[str, str] = {
    "attributeValue": "attribute_value",
    "channelWarehousesSet": "channel.updated",
    "collectionProducts": "collection.updated",
    "listing": "price.changed",
    "productAttributesSet": "product.updated",
    "productTypeAttributesSet": "product_type.updated",
    "relatedProductsSet": "product.updated",
    "stock": "stock.changed",
    "translationsSet": "product.updated",
    "variantAttributesSet": "variant.updated",
}
"""What mutations announce whose names do not say it, by the beginning of their names."""

VERBS = {"Create": "created", "Delete": "deleted"}


def announced(name: str) -> str:
    """Return the type of event that a mutation has to leave: the entity and the verb of its name, unless listed."""
    listed = max((start for start in ANNOUNCED if name.startswith(start)), key=len, default=None)
    if listed is not None and "." in ANNOUNCED[listed]:
        return ANNOUNCED[listed]
    verb = next((verb for end, verb in VERBS.items() if name.endswith(end)), "updated")
    head = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    entity = next(each for each in sorted(_ENTITIES, key=len, reverse=True) if head.startswith(each))
    return f"{entity}.{verb}"


_ENTITIES = {kind.partition(".")[0] for kind in TYPES} - {"stock", "price"}


def last(made: Catalogue, table: str) -> str:
    return encode_global_id(type_name_of(table), made.rows[table][-1].id)


CHANGING: Mapping[str, Callable[[Catalogue], dict[str, Any]]] = {
    "categoryBulkUpdate": lambda made: {"changes": [{"id": last(made, "category"), "input": {"name": "New"}}]},
    "categoryDelete": lambda made: {"id": last(made, "category")},
    "channelDelete": lambda made: {"id": last(made, "channel")},
    "mediaBulkUpdate": lambda made: {"changes": [{"id": made.id_of("Media"), "input": {"alt": "New"}}]},
    "mediaUpdate": lambda made: {"id": made.id_of("Media"), "input": {"alt": "New"}},
    "reviewBulkModerate": lambda made: {"ids": [made.id_of("Review")], "status": "REJECTED"},
    "reviewModerate": lambda made: {"id": made.id_of("Review"), "status": "REJECTED"},
}
"""Arguments of mutations that would change nothing, or be refused, with those of the other tests."""

BEFORE: Mapping[str, tuple[str, str]] = {
    "listingBulkCreate": ("listingDelete", "listing"),
    "listingCreate": ("listingDelete", "listing"),
    "productRestore": ("productDelete", "product"),
    "variantRestore": ("variantDelete", "variant"),
}
"""What is deleted before there is room for it, or something to restore."""

ANEW = {"collectionProductsAdd": factories.collection, "warehouseDelete": factories.warehouse}
"""What is done to a row that nothing refers to."""


@pytest.mark.asked_once
@pytest.mark.parametrize("name", sorted(MUTATIONS))
async def test_a_mutation_announces_what_it_did_and_who_did_it(api, database, name):
    made = await catalogue(database, await factories.shop(database), 2)
    asked = api.of(made.shop)
    arguments = CHANGING.get(name, ARGUMENTS[name])(made)
    if name in BEFORE:
        delete, table = BEFORE[name]
        rows = made.rows[table]
        if table == "listing":
            wanted = made.rows["variant"][-1].id, made.first("channel").id
            rows = [row for row in rows if (row.variant_id, row.channel_id) == wanted]
        for row in rows:
            await done(asked, delete, id=encode_global_id(type_name_of(table), row.id))
    if name in ANEW:
        row = await ANEW[name](database, made.shop)
        arguments |= {"id": encode_global_id(type_name_of(row.__tablename__), row.id)}
    before = await last_place(database, made.shop)

    shown = operation(name, "__typename", arguments)
    assert "'code'" not in str((await asked(shown, arguments, role="owner")).data)

    rows = await events(database, made.shop, after=before)
    assert announced(name) in types(rows)
    assert {row["actor"] for row in rows} == {"staff:tester"}
    assert types(rows).keys() <= TYPES


@pytest.mark.asked_once
async def test_what_is_refused_announces_nothing(api, database):
    made = await catalogue(database, await factories.shop(database), 2)
    before = await last_place(database, made.shop)
    for name, declared in ARGUMENTS.items():
        arguments = declared(made)
        role = None if name == "reviewCreate" else "customer"
        answer = await api.of(made.shop)(operation(name, "__typename", arguments), arguments, role=role)
        assert answer.codes, name
    assert await last_place(database, made.shop) == before


@pytest.mark.asked_once
async def test_a_bulk_that_is_refused_takes_its_events_with_it(api, database, shop):
    inputs = [{"name": "One", "slug": "one"}, {"name": "Two", "slug": "one"}]
    before = await last_place(database, shop)
    arguments = {"inputs": inputs, "errorPolicy": "ALL_OR_NOTHING"}
    answer = await api(operation("collectionBulkCreate", "__typename", arguments), arguments, role="owner")
    assert answer.data["collectionBulkCreate"]["applied"] == 0
    assert await last_place(database, shop) == before

    arguments = {"inputs": inputs, "errorPolicy": "SKIP_FAILED"}
    answer = await api(operation("collectionBulkCreate", "__typename", arguments), arguments, role="owner")
    assert answer.data["collectionBulkCreate"]["applied"] == 1
    assert types(await events(database, shop, after=before)) == {"collection.created": 1}


@pytest.mark.asked_once
async def test_deriving_announces_nothing(api, database, shop):
    product, _ = await factories.sellable(database, shop)
    await factories.collection(database, shop, rule={"vendor": "Norr"})
    before = await last_place(database, shop)
    await done(api, "productUpdate", id=encode_global_id("Product", product.id), input={"vendor": "Norr"})
    assert types(await events(database, shop, after=before)) == {"product.updated": 1}
