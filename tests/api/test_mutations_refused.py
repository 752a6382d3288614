"""What is refused says why, and leaves everything as it was."""

from typing import Any

import pytest
from sqlalchemy import text

from core.database import Database
from core.ids import encode_global_id
from resolvers.context import Shop
from tests import factories
from tests.api.mutating import done, id_of, operation, refusals, unchanged, write
from tests.api.refused import CASES, Case


@pytest.fixture(scope="module")
async def world_shop(database: Database) -> Shop:
    return await factories.shop(database)


@pytest.fixture(scope="module")
async def world(database: Database, world_shop: Shop) -> dict[str, str]:
    """The ids of the rows that the cases are about, by name."""
    shop = world_shop
    product, variant = await factories.sellable(database, shop, slug="product", external_ref="REF")
    other = await factories.product(database, shop, slug="other")
    gone = await factories.product(database, shop, slug="gone")
    rows: dict[str, Any] = {
        "product": product,
        "variant": variant,
        "other": other,
        "other_variant": await factories.variant(database, shop, other, sku="SKU", external_ref="VARIANT"),
        "gone": gone,
        "gone_variant": await factories.variant(database, shop, gone),
        "gone_media": await factories.media(database, shop, gone),
        "media": await factories.media(database, shop, product),
        "yen": await factories.channel(database, shop, slug="yen", currency="JPY"),
        "type": await factories.product_type(database, shop),
        "manual": await factories.collection(database, shop, product),
        "rule": await factories.collection(database, shop, rule={"tags": ["none"]}),
        "warehouse": await factories.warehouse(database, shop, shop.default_channel_id),
        **await _attributes(database, shop),
        **await _categories(database, shop),
    }
    await factories.review(database, shop, product, author_subject="tester")
    rows["listing"] = await factories.listing(database, shop, rows["other_variant"])
    rows["gone_listing"] = await factories.listing(database, shop, rows["gone_variant"])
    await _delete(database, shop, gone)
    await factories.product(database, shop, slug="gone")
    ids = {name: id_of(row) for name, row in rows.items()}
    stocked = await _main_warehouse(database, shop)
    return {**ids, "channel": encode_global_id("Channel", shop.default_channel_id), "main": stocked}


async def _attributes(database: Database, shop: Shop) -> dict[str, Any]:
    kinds = {"colour": "DROPDOWN", "size": "NUMERIC", "note": "TEXT", "fit": "DROPDOWN"}
    rows: dict[str, Any] = {
        slug: await factories.attribute(database, shop, slug=slug, kind=kind) for slug, kind in kinds.items()
    }
    for slug, attribute in (("red", "colour"), ("blue", "colour"), ("big", "fit")):
        rows[slug] = await factories.attribute_value(database, shop, rows[attribute], slug=slug)
    return rows


async def _categories(database: Database, shop: Shop) -> dict[str, Any]:
    levels = [await factories.category(database, shop)]
    while len(levels) < 8:
        levels.append(await factories.category(database, shop, parent=levels[-1]))
    branch = await factories.category(database, shop)
    await factories.category(database, shop, parent=branch)
    return {"top": levels[0], "second": levels[1], "seventh": levels[6], "deepest": levels[7], "branch": branch}


async def _delete(database: Database, shop: Shop, product: Any) -> None:
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("UPDATE product SET deleted_at = now() WHERE id = :id"), {"id": product.id})
        await transaction.execute(
            text("UPDATE variant SET deleted_at = now() WHERE product_id = :id"), {"id": product.id}
        )
        await transaction.commit()


async def _main_warehouse(database: Database, shop: Shop) -> str:
    async with database.of_tenant(shop.id).write() as transaction:
        found = await transaction.execute(text("SELECT id FROM warehouse WHERE slug = 'main'"))
        return encode_global_id("Warehouse", found.scalar_one())


@pytest.fixture
def asked(api, world_shop):
    return api.of(world_shop)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_refusal_says_why_and_changes_nothing(asked, database, world, case: Case):
    async with unchanged(database, asked.shop):
        found = await refusals(asked, case.mutation, **case.filled(world))

    assert [f"{code} {path}" for code, path in found] == [case.expected]


@pytest.mark.parametrize(
    ("case", "holder"),
    [
        (Case("productCreate", "", {"input": {"name": "New", "slug": "product"}}), "product"),
        (Case("productCreate", "", {"input": {"name": "New", "externalRef": "REF"}}), "product"),
        (Case("productUpdate", "", {"id": "$other", "input": {"slug": "product"}}), "product"),
        (Case("productBulkCreate", "", {"inputs": [{"name": "New", "slug": "product"}]}), "product"),
        (Case("variantUpdate", "", {"id": "$variant", "input": {"sku": "SKU"}}), "other_variant"),
        (Case("attributeValueUpdate", "", {"id": "$blue", "input": {"slug": "red"}}), "red"),
    ],
    ids=str,
)
async def test_a_duplicate_names_who_has_the_value(asked, database, world, case: Case, holder: str):
    async with unchanged(database, asked.shop):
        payload = await write(asked, case.mutation, **case.filled(world))

    [refusal] = payload.get("results", [payload])[0]["userErrors"]
    assert (refusal["code"], refusal["existingId"]) == ("DUPLICATE", world[holder])


@pytest.mark.parametrize("given", [{"name": "a\0b"}, {"name": "New", "tags": ["a\0"]}])
async def test_nul_is_in_no_text(api, database, shop, given):
    async with unchanged(database, shop):
        answer = await api(operation("productCreate", "__typename", {"input": given}), {"input": given}, role="owner")

    assert answer.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("version", [2_147_483_648, 10**30, 1.5, "1", True])
async def test_a_version_that_is_none_is_no_version(asked, database, world, version):
    arguments = {"id": world["product"], "input": {"name": "New"}, "expectedVersion": version}

    async with unchanged(database, asked.shop):
        answer = await asked(operation("productUpdate", "__typename", arguments), arguments, role="owner")

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_what_a_shopper_cannot_see_cannot_be_reviewed(api, database, shop):
    draft = await factories.product(database, shop, status="DRAFT")
    given = {"productId": id_of(draft), "rating": 5, "authorName": "Ada"}

    async with unchanged(database, shop):
        assert await refusals(api, "reviewCreate", role="customer", input=given) == [("NOT_FOUND", "input.productId")]


async def test_a_51st_channel_is_one_too_many(api, database, shop):
    for number in range(2, 51):
        await done(api, "channelCreate", input={"name": f"Channel {number}", "currency": "USD"})

    async with unchanged(database, shop):
        found = await refusals(api, "channelCreate", input={"name": "Channel 51", "currency": "USD"})

    assert found == [("TOO_MANY", "input")]
