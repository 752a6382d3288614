"""What an import makes of a file."""

import pytest
from sqlalchemy import text

from tests import factories
from tests.transfer.files import one, product_file, rows_of, run, shop_state

SHIRT = {
    "Handle": "linen-shirt",
    "Title": "Linen Shirt",
    "Body (HTML)": "<p>Cool, <b>light</b></p>\n",
    "Vendor": "Norr",
    "Product Category": "Apparel & Accessories > Clothing > Shirts",
    "Type": "Shirt",
    "Tags": "summer, linen, summer",
    "Published": "true",
    "Option1 Name": "Color",
    "Option1 Value": "Blue",
    "Option2 Name": "Size",
    "Option2 Value": "S",
    "Variant SKU": "LS-B-S",
    "Variant Grams": "180.6",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "7",
    "Variant Inventory Policy": "deny",
    "Variant Fulfillment Service": "manual",
    "Variant Price": "49.90",
    "Variant Compare At Price": "1,059.00",
    "Variant Barcode": "4006381333931",
    "Image Src": "https://cdn.example.com/blue.jpg",
    "Image Position": "1",
    "Image Alt Text": "Blue shirt",
    "Gift Card": "false",
    "SEO Title": "Linen shirts",
    "SEO Description": "",
    "Google Shopping / Gender": "Unisex",
    "Fabric (product.metafields.custom.fabric)": "linen",
    "Variant Image": "https://cdn.example.com/blue.jpg",
    "Variant Weight Unit": "kg",
    "Cost per item": "12",
    "Status": "active",
}
RED = {
    "Handle": "linen-shirt",
    "Option1 Value": "Red",
    "Option2 Value": "S",
    "Variant SKU": "LS-R-S",
    "Variant Inventory Qty": "0",
    "Variant Inventory Policy": "continue",
    "Variant Price": "44",
    "Image Src": "https://cdn.example.com/red.jpg",
    "Image Position": "2",
    "Variant Image": "https://cdn.example.com/blue.jpg",
}
BACK = {"Handle": "linen-shirt", "Image Src": "https://cdn.example.com/back.jpg", "Image Position": "3"}
FILE = product_file(SHIRT, RED, BACK)


async def test_everything_arrives(database, shop):
    summary, notes = await run(database, shop, FILE)

    assert notes == []
    assert (summary.rows, summary.products.created, summary.variants.created, summary.images.created) == (3, 1, 2, 3)
    product, [blue, red], images = await one(database, shop, "linen-shirt")
    assert product == {
        "slug": "linen-shirt",
        "name": "Linen Shirt",
        "description": "<p>Cool, <b>light</b></p>\n",
        "vendor": "Norr",
        "tags": ("summer", "linen"),
        "status": "ACTIVE",
        "seo_title": "Linen shirts",
        "seo_description": None,
        "type_name": "Shirt",
        "category": ("Apparel & Accessories", "Clothing", "Shirts"),
        "extras": {"Google Shopping / Gender": "Unisex", "Fabric (product.metafields.custom.fabric)": "linen"},
    }
    assert blue == {
        "sku": "LS-B-S",
        "name": "Blue / S",
        "barcode": "4006381333931",
        "weight_g": 181,
        "position": 1,
        "track_inventory": True,
        "backorder_limit": 0,
        "options": (("Color", "Blue"), ("Size", "S")),
        "extras": {"Variant Weight Unit": "kg"},
        "price": {"price_minor": 4990, "compare_at_minor": 105900, "cost_minor": 1200, "is_published": True},
        "stock": {"on_hand": 7, "promised": 0, "backorder_limit": 0},
    }
    assert red["options"] == (("Color", "Red"), ("Size", "S"))
    assert red["track_inventory"] is False
    assert red["backorder_limit"] == red["stock"]["backorder_limit"] == 1_000_000
    assert red["extras"] == {"Variant Image": "https://cdn.example.com/blue.jpg"}
    assert images == [
        ("https://cdn.example.com/blue.jpg", "Blue shirt", 1, "Blue / S"),
        ("https://cdn.example.com/red.jpg", "", 2, None),
        ("https://cdn.example.com/back.jpg", "", 3, None),
    ]
    assert (await shop_state(database, shop))[1] == [("linen-shirt", True, 4400, 4990, "shirts")]


async def test_again_changes_nothing(database, shop):
    await run(database, shop, FILE)
    before = await rows_of(database, shop)

    summary, _ = await run(database, shop, FILE)

    assert await rows_of(database, shop) == before
    assert (summary.products.unchanged, summary.variants.unchanged, summary.images.unchanged) == (1, 2, 3)
    assert summary.products.created == summary.products.updated == 0


async def test_a_change_touches_only_what_changed(database, shop):
    await run(database, shop, FILE)
    before = await rows_of(database, shop)

    summary, _ = await run(database, shop, product_file(SHIRT, RED | {"Variant Price": "39"}, BACK))

    after = await rows_of(database, shop)
    assert {table for table in before if before[table] != after[table]} == {"listing", "product_listing"}
    assert (summary.products.updated, summary.variants.updated, summary.variants.unchanged) == (1, 1, 1)
    _, [_, red], _ = await one(database, shop, "linen-shirt")
    assert red["price"]["price_minor"] == 3900


async def test_a_rehearsal_writes_nothing(database, shop):
    before = await rows_of(database, shop)

    summary, _ = await run(database, shop, FILE, is_rehearsal=True)

    assert summary.products.created == 1
    assert await rows_of(database, shop) == before


async def test_names_of_newer_exports(database, shop):
    newer = product_file(
        {
            " url HANDLE ": "mug",
            "Title": "Mug",
            "Description": "Holds tea",
            "Product category": "Kitchen",
            "Published on online store": "FALSE",
            "Option1 name": "Title",
            "Option1 value": "Default Title",
            "SKU": "MUG",
            "Price": "8",
            "Compare-at price": "10",
            "Charge tax": "FALSE",
            "Inventory tracker": "shopify",
            "Inventory quantity": "3",
            "Continue selling when out of stock": "DENY",
            "Weight value (grams)": "300",
            "Weight unit for display": "g",
            "Requires shipping": "TRUE",
            "Product image URL": "https://cdn.example.com/mug.png",
            "Status": "Draft",
        }
    )

    _, notes = await run(database, shop, "\ufeff" + newer)

    product, [mug], [image] = await one(database, shop, "mug")
    assert notes == []
    assert (product["description"], product["category"], product["status"]) == ("Holds tea", ("Kitchen",), "DRAFT")
    assert (mug["options"], mug["name"], mug["sku"], mug["weight_g"]) == ((), "", "MUG", 300)
    assert mug["price"] == {"price_minor": 800, "compare_at_minor": 1000, "cost_minor": None, "is_published": False}
    assert mug["extras"] == {"Variant Taxable": "FALSE"}
    assert image[0] == "https://cdn.example.com/mug.png"


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("JPY", "1200", 1200), ("KWD", "1.234", 1234), ("USD", "1.20", 120)]
)
async def test_decimals_are_the_currencys(database, currency, price, minor):
    shop = await factories.shop(database, currency=currency)

    await run(database, shop, product_file({"Handle": "a", "Title": "A", "Variant Price": price}))

    _, [variant], _ = await one(database, shop, "a")
    assert variant["price"]["price_minor"] == minor


async def test_only_handle_and_title(database, shop):
    summary, notes = await run(database, shop, "Handle,Title\na,A\n")

    _, variants, _ = await one(database, shop, "a")
    assert notes == []
    assert summary.variants.created == len(variants) == 1


async def test_what_the_file_does_not_tell_of_stays(database, shop):
    await run(database, shop, FILE)

    await run(database, shop, product_file({"Handle": "linen-shirt", "Variant SKU": "LS-R-S", "Variant Price": "1"}))

    product, variants, images = await one(database, shop, "linen-shirt")
    assert (product["name"], product["vendor"]) == ("Linen Shirt", "Norr")
    assert [variant["price"]["price_minor"] for variant in variants] == [4990, 100]
    assert variants[1]["options"] == (("Color", "Red"), ("Size", "S"))
    assert len(images) == 3


async def test_an_empty_cell_beside_the_title_empties(database, shop):
    await run(database, shop, FILE)

    await run(
        database, shop, product_file(SHIRT | {"Vendor": "", "Tags": "", "Variant Compare At Price": "", "Type": ""})
    )

    product, [blue, _], _ = await one(database, shop, "linen-shirt")
    assert (product["vendor"], product["tags"], product["type_name"]) == (None, (), None)
    assert blue["price"]["compare_at_minor"] is None


async def test_a_handle_that_comes_again_merges(database, shop):
    other = {"Handle": "mug", "Title": "Mug", "Variant Price": "8"}

    summary, notes = await run(database, shop, product_file(SHIRT, other, RED, BACK))

    product, variants, images = await one(database, shop, "linen-shirt")
    assert notes == []
    assert summary.products.created == 2
    assert (product["name"], product["vendor"]) == ("Linen Shirt", "Norr")
    assert [variant["name"] for variant in variants] == ["Blue / S", "Red / S"]
    assert len(images) == 3


async def test_handles_that_are_no_slugs(database, shop):
    content = product_file(
        {"Handle": "Blue_Shirt", "Title": "One"},
        {"Handle": "blue-shirt", "Title": "Two"},
        {"Handle": "シャツ", "Title": "Three"},
    )
    await run(database, shop, content)
    before = await rows_of(database, shop)

    await run(database, shop, content)

    products, _ = await shop_state(database, shop)
    assert await rows_of(database, shop) == before
    assert products["blue-shirt"][0]["name"] == "One"
    assert products["blue-shirt"][0]["extras"] == {"Handle": "Blue_Shirt"}
    assert sorted(product[0]["name"] for product in products.values()) == ["One", "Three", "Two"]
    assert len(products) == 3


async def test_values_whose_slugs_meet_stay_apart(database, shop):
    rows = [
        {"Handle": "a", "Title": "A", "Option1 Name": "Size", "Option1 Value": "1.5", "Variant Price": "1"},
        {"Handle": "a", "Option1 Value": "1-5", "Variant Price": "2"},
        {"Handle": "a", "Option1 Value": "½", "Variant Price": "3"},
    ]

    await run(database, shop, product_file(*rows))

    _, variants, _ = await one(database, shop, "a")
    assert [variant["options"][0][1] for variant in variants] == ["1.5", "1-5", "½"]


async def test_categories_of_one_name_in_two_places(database, shop):
    await run(
        database,
        shop,
        product_file(
            {"Handle": "a", "Title": "A", "Product Category": "Home > Accessories"},
            {"Handle": "b", "Title": "B", "Product Category": "Clothing > Accessories"},
            {"Handle": "c", "Title": "C", "Product Category": "home > accessories"},
        ),
    )

    products, listed = await shop_state(database, shop)
    assert products["b"][0]["category"] == ("Clothing", "Accessories")
    assert products["c"][0]["category"] == ("Home", "Accessories")
    assert len({category for *_, category in listed}) == 2


async def test_variants_can_swap_their_skus(database, shop):
    await run(database, shop, FILE)

    await run(database, shop, product_file(SHIRT | {"Variant SKU": "NEW"}, RED | {"Variant SKU": "LS-B-S"}))

    _, variants, _ = await one(database, shop, "linen-shirt")
    assert [(variant["sku"], variant["name"]) for variant in variants] == [("NEW", "Blue / S"), ("LS-B-S", "Red / S")]


async def test_options_change_by_sku(database, shop):
    await run(database, shop, FILE)

    await run(database, shop, product_file(SHIRT | {"Option1 Value": "Navy"}, RED))

    _, variants, _ = await one(database, shop, "linen-shirt")
    assert [variant["options"] for variant in variants] == [
        (("Color", "Navy"), ("Size", "S")),
        (("Color", "Red"), ("Size", "S")),
    ]
    assert variants[0]["name"] == "Navy / S"
    assert len((await rows_of(database, shop))["attribute_assignment"]) == 4


async def test_stock_makes_its_warehouse(database, shop):
    tenant = database.of_tenant(shop.id)
    async with tenant.write() as transaction:
        await transaction.execute(text("DELETE FROM warehouse"))
        await transaction.commit()

    await run(database, shop, FILE)

    rows = await rows_of(database, shop)
    assert (len(rows["warehouse"]), len(rows["channel_warehouse"]), len(rows["stock_level"])) == (1, 1, 2)


async def test_promised_stock_is_kept(database, shop):
    await run(database, shop, FILE)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("UPDATE stock_level SET allocated = 5 WHERE on_hand = 7"))
        await transaction.commit()

    summary, [note] = await run(database, shop, product_file(SHIRT | {"Variant Inventory Qty": "4"}, RED, BACK))

    _, [blue, _], _ = await one(database, shop, "linen-shirt")
    assert blue["stock"] == {"on_hand": 7, "promised": 5, "backorder_limit": 0}
    assert (note.line, summary.refused) == (2, 1)
    assert "5 are promised" in note.reason


@pytest.mark.parametrize(("locale", "expected"), [("en", "english"), ("de-AT", "german"), ("ja", "simple")])
async def test_products_are_searched_in_the_language_of_the_shop(database, locale, expected):
    shop = await factories.shop(database, locale=locale)
    await factories.product(database, shop, slug="linen-shirt", name="From elsewhere", search_config="danish")

    await run(database, shop, product_file(SHIRT, {"Handle": "other-shirt", "Title": "Other shirt"}))

    tenant = database.of_tenant(shop.id)
    rows = await tenant.fetch(text("SELECT slug, CAST(search_config AS text) AS config FROM product ORDER BY slug"))
    await tenant.close()
    assert [tuple(row) for row in rows] == [("linen-shirt", expected), ("other-shirt", expected)]


async def test_two_shops_do_not_meet(database, shop):
    other = await factories.shop(database)
    await run(database, other, FILE)
    before = await rows_of(database, other)

    await run(database, shop, product_file(SHIRT | {"Title": "Mine"}, RED))

    assert await rows_of(database, other) == before
    assert (await one(database, shop, "linen-shirt"))[0]["name"] == "Mine"
