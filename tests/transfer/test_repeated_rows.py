"""Files that say things twice, in pieces, or only in part."""

import pytest
from sqlalchemy import text

from core.errors import FileRefused
from core.ids import new_id
from resolvers.transfer import drafts
from tests import factories
from tests.transfer.files import exported, one, product_file, rows_of, run, shop_state

SHIRT = {
    "Handle": "shirt",
    "Title": "Shirt",
    "Vendor": "Norr",
    "Tags": "linen",
    "Option1 Name": "Size",
    "Option1 Value": "S",
    "Variant SKU": "S1",
    "Variant Price": "10",
    "Variant Barcode": "123",
    "Image Src": "https://a.example/1.jpg",
    "Image Alt Text": "Front",
    "Material (product.metafields.a.b)": "linen",
}
MUG = {"Handle": "mug", "Title": "Mug", "Option1 Name": "Title", "Option1 Value": "Default Title"}


async def test_a_title_in_each_row(database, shop):
    second = SHIRT | {"Vendor": "", "Option1 Value": "M", "Variant SKU": "S2", "Variant Barcode": ""}

    content = product_file(SHIRT, second | {"Material (product.metafields.a.b)": "wool"})
    await run(database, shop, content)

    product, [small, medium], images = await one(database, shop, "shirt")
    assert (product["vendor"], product["tags"]) == ("Norr", ("linen",))
    assert product["extras"] == {"Material (product.metafields.a.b)": "linen"}
    assert (small["extras"], medium["extras"]) == ({}, {"Material (product.metafields.a.b)": "wool"})
    assert [image[:2] for image in images] == [("https://a.example/1.jpg", "Front")]
    before = await rows_of(database, shop)
    await run(database, shop, await exported(database, shop))
    assert await rows_of(database, shop) == before


async def test_the_same_rows_again_later(database, shop):
    bare = {"Handle": "shirt", "Title": "Shirt", "Option1 Value": "S", "Variant SKU": "S1", "Variant Price": "12"}

    summary, notes = await run(database, shop, product_file(SHIRT, MUG, bare, columns=list(SHIRT)))

    product, [variant], [image] = await one(database, shop, "shirt")
    assert notes == []
    assert (summary.products.created, summary.variants.created) == (2, 2)
    assert (product["vendor"], product["tags"], variant["barcode"]) == ("Norr", ("linen",), "123")
    assert product["extras"] == {"Material (product.metafields.a.b)": "linen"}
    assert (variant["price"]["price_minor"], image[1]) == (1200, "Front")


async def test_an_image_twice(database, shop):
    again = {"Handle": "shirt", "Image Src": "https://a.example/1.jpg", "Image Position": "4"}

    await run(database, shop, product_file(SHIRT, again))

    _, _, images = await one(database, shop, "shirt")
    assert images == [("https://a.example/1.jpg", "Front", 4, None)]


async def test_a_variants_image_moves(database, shop):
    two = {"Handle": "shirt", "Image Src": "https://a.example/2.jpg"}
    first = {"Variant Image": "https://a.example/1.jpg"}
    await run(database, shop, product_file(SHIRT | first, two))

    await run(database, shop, product_file(SHIRT | {"Variant Image": "https://a.example/2.jpg"}, two))
    assert [image[3] for image in (await one(database, shop, "shirt"))[2]] == [None, "S"]

    await run(database, shop, product_file(SHIRT | {"Variant Image": ""}, two))
    assert [image[3] for image in (await one(database, shop, "shirt"))[2]] == [None, None]


async def test_a_product_larger_than_a_batch(database, shop, monkeypatch):
    monkeypatch.setattr(drafts, "LARGEST_BATCH_ROWS", 2)
    monkeypatch.setattr(drafts, "BATCH_ROWS", 2)
    rows = [{"Handle": "shirt", "Option1 Value": str(size), "Variant Price": "1"} for size in range(5)]

    summary, notes = await run(database, shop, product_file(SHIRT, *rows))

    assert notes == []
    assert (summary.rows, summary.variants.created) == (6, 6)
    _, variants, _ = await one(database, shop, "shirt")
    assert [variant["name"] for variant in variants] == ["S", "0", "1", "2", "3", "4"]
    assert [variant["position"] for variant in variants] == [1, 2, 3, 4, 5, 6]


async def test_variants_that_only_a_sku_tells_apart(database, shop):
    rows = [{"Handle": "kit", "Title": "Kit", "Variant SKU": "A", "Variant Price": "1"}]
    rows += [{"Handle": "kit", "Variant SKU": sku, "Variant Price": "2"} for sku in "BC"]
    await run(database, shop, product_file(*rows))

    await run(database, shop, product_file(*[row | {"Variant Price": "5"} for row in reversed(rows)]))

    _, variants, _ = await one(database, shop, "kit")
    assert [(variant["sku"], variant["price"]["price_minor"]) for variant in variants] == [
        ("A", 500),
        ("B", 500),
        ("C", 500),
    ]


async def test_a_row_that_names_no_variant(database, shop):
    await run(database, shop, product_file(SHIRT, {"Handle": "shirt", "Option1 Value": "M"}))

    _, [note] = await run(database, shop, "Handle,Variant Price\nshirt,3\n")

    assert note.reason.startswith("The product has options and the row gives neither theirs nor a SKU")


async def test_a_mapped_cell_without_title_changes_the_product(database, shop):
    await run(database, shop, product_file(SHIRT))

    await run(database, shop, "Handle,Vendor,Tags,Custom\nshirt,Ulla,,yes\n")

    product, _, _ = await one(database, shop, "shirt")
    assert (product["name"], product["vendor"], product["tags"]) == ("Shirt", "Ulla", ("linen",))
    assert product["extras"]["Custom"] == "yes"


async def test_unlisted_products_are_hidden(database, shop):
    await run(database, shop, product_file(SHIRT | {"Status": "Unlisted"}))

    products, listed = await shop_state(database, shop)
    assert products["shirt"][0]["status"] == "ACTIVE"
    assert listed == [("shirt", False, None, None, None)]


async def test_what_clients_wrote_into_metadata_is_no_harm(database, shop):
    await run(database, shop, product_file(SHIRT))
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("""UPDATE product SET metadata = '{"csv": [1], "mine": true}'"""))
        await transaction.execute(text("""UPDATE variant SET metadata = '{"csv": {"Note": 5}}'"""))
        await transaction.commit()

    await run(database, shop, product_file(SHIRT))

    [row] = (await rows_of(database, shop))["product"]
    assert '""mine"": true' in row
    assert "linen" in await exported(database, shop)


async def test_an_attribute_with_another_purpose_is_left_alone(database, shop):
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(
            text(
                "INSERT INTO attribute (shop_id, id, slug, name, kind) VALUES (:shop, :id, 'size', 'Size', 'NUMERIC')"
            ),
            {"shop": shop.id, "id": new_id()},
        )
        await transaction.commit()

    await run(database, shop, product_file(SHIRT))

    _, [variant], _ = await one(database, shop, "shirt")
    assert variant["options"] == (("Size", "S"),)
    assert len((await rows_of(database, shop))["attribute"]) == 2


async def test_an_export_needs_prices(database):
    shop = await factories.shop(database)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("UPDATE channel SET is_default = false"))
        await transaction.commit()

    with pytest.raises(FileRefused, match="no default channel"):
        await exported(database, shop)
