"""Rows and files that cannot be used: each is told by its line, and costs nothing else."""

import pytest
from sqlalchemy import text

from core.errors import FileRefused
from tests import factories
from tests.transfer.files import one, product_file, rows_of, run, shop_state

FIRST = {"Handle": "shirt", "Title": "Shirt", "Option1 Name": "Size", "Option1 Value": "S", "Variant Price": "10"}
SECOND = {"Handle": "shirt", "Option1 Value": "M", "Variant Price": "11"}
THIRD = {"Handle": "shirt", "Option1 Value": "L", "Variant Price": "12"}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Variant Price": "10.999"}, "Variant Price is '10.999': give an amount in USD, with a point and at most 2"),
        ({"Variant Price": "ten"}, "Variant Price is 'ten'"),
        ({"Variant Price": "-1"}, "Variant Price is '-1'"),
        ({"Variant Compare At Price": "1e3"}, "Variant Compare At Price is '1e3'"),
        ({"Cost per item": "1.2.3"}, "Cost per item is '1.2.3'"),
        ({"Variant Grams": "-1"}, "Variant Grams is '-1': give a weight that is not negative"),
        ({"Variant Grams": "NaN"}, "Variant Grams is 'NaN': give a number"),
        ({"Variant Inventory Qty": "1.5"}, "Variant Inventory Qty is '1.5': give a whole number"),
        ({"Variant Inventory Qty": "99999999999"}, "give at most 2,147,483,647"),
        ({"Variant Inventory Policy": "maybe"}, "Variant Inventory Policy is 'maybe': give continue or deny"),
        ({"Variant SKU": "x" * 256}, "Variant SKU has 256 characters: shorten it to 255"),
        ({"Variant Image": "/etc/passwd"}, "Variant Image is '/etc/passwd': give an address"),
        ({"Option1 Value": "", "Option2 Value": "Red"}, "Option2 has a value and one before it has none"),
        ({"Option2 Value": "Red"}, "Option2 has a value and no name: fill in Option2 Name"),
        ({"Option1 Value": "S", "Variant SKU": "X"}, "Line 2 has the same options"),
    ],
)
async def test_a_refused_variant_costs_no_other(database, shop, cells, reason):
    columns = [*FIRST, "Option2 Name", "Option2 Value", *(name for name in cells if "Option" not in name)]
    columns = list(dict.fromkeys(columns))

    summary, notes = await run(database, shop, product_file(FIRST, SECOND | cells, THIRD, columns=columns))

    assert [(note.line, note.handle, note.is_refusal) for note in notes] == [(3, "shirt", True)]
    assert reason in notes[0].reason
    assert (summary.products.created, summary.refused) == (1, 1)
    _, variants, _ = await one(database, shop, "shirt")
    assert [variant["name"] for variant in variants] == ["S", "L"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Status": "sold"}, "Status is 'sold': give active or draft or archived"),
        ({"Published": "perhaps"}, "Published is 'perhaps'"),
        ({"Product Category": ">".join("abcdefghi")}, "Product Category has 9 levels: give 8 at most"),
        ({"Product Category": "A >> B"}, "put a name on each side"),
        ({"Title": "x" * 256}, "Title has 256 characters"),
        ({"Tags": "x" * 256}, "Tags has a tag too many or too long"),
    ],
)
async def test_a_refused_product_is_told_for_each_row(database, shop, cells, reason):
    before = await rows_of(database, shop)

    _, notes = await run(database, shop, product_file(FIRST | cells, SECOND))

    assert [note.line for note in notes] == [2, 3]
    assert reason in notes[0].reason
    assert "Its product was refused (from line 2)" in notes[1].reason
    assert await rows_of(database, shop) == before


async def test_lines_are_physical(database, shop):
    content = product_file(
        FIRST | {"Body (HTML)": "one\ntwo\r\nthree"}, SECOND | {"Variant Price": "x"}, {"Handle": "none"}
    )

    _, notes = await run(database, shop, content)

    assert [note.line for note in notes] == [5, 6]
    assert "No product has this handle, and the row has no Title" in notes[1].reason


async def test_a_refused_image_costs_nothing_else(database, shop):
    rows = [FIRST | {"Image Src": "javascript:alert(1)"}, SECOND | {"Image Src": "https://a.example/1.jpg"}]

    _, [note] = await run(database, shop, product_file(*rows))

    _, variants, images = await one(database, shop, "shirt")
    assert "Image Src is 'javascript:alert(1)'" in note.reason
    assert (len(variants), [image[0] for image in images]) == (2, ["https://a.example/1.jpg"])


async def test_negative_stock_is_corrected(database, shop):
    summary, [note] = await run(database, shop, product_file(FIRST | {"Variant Inventory Qty": "-3"}))

    _, [variant], _ = await one(database, shop, "shirt")
    assert (variant["stock"]["on_hand"], note.is_refusal, summary.corrected, summary.refused) == (0, False, 1, 0)


@pytest.mark.parametrize("currency", ["JPY", "ISK"])
async def test_a_currency_without_decimals_refuses_them(database, currency):
    shop = await factories.shop(database, currency=currency)

    _, notes = await run(database, shop, product_file(FIRST | {"Variant Price": "10.50"}))

    assert notes[0].reason == f"Variant Price is '10.50': give an amount in {currency}, which has no decimals."
    assert "none of its variants" in notes[1].reason
    assert await shop_state(database, shop) == ({}, [])


async def test_a_sku_is_one_products(database, shop):
    await run(database, shop, product_file(FIRST | {"Variant SKU": "A"}))
    other = {"Handle": "mug", "Title": "Mug", "Option1 Name": "Size", "Option1 Value": "S", "Variant SKU": "A"}
    before = await rows_of(database, shop)

    _, notes = await run(database, shop, product_file(other))

    assert notes[0].reason == "The product shirt has the SKU A: give each variant its own."
    assert await rows_of(database, shop) == before


async def test_a_sku_twice_in_a_file(database, shop):
    rows = [FIRST | {"Variant SKU": "A"}, SECOND | {"Variant SKU": "A"}, THIRD | {"Variant SKU": "B"}]

    _, [note] = await run(database, shop, product_file(*rows))

    assert (note.line, note.reason) == (3, "Line 2 has the SKU A too: give each variant its own.")
    _, variants, _ = await one(database, shop, "shirt")
    assert [variant["sku"] for variant in variants] == ["A", "B"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("shirt,M,11,extra\n", "The row has 4 cells and the header 3"),
        (",M,11\n", "The row has no Handle"),
        ('"shirt"x,M,11\n', "The row has a stray quote"),
        ("shirt,M\0,11\n", "The row has a NUL byte"),
        (f"shirt,{'x' * 1_000_001},11\n", "Cell 2 has 1,000,001 characters: shorten it to 1,000,000"),
    ],
)
async def test_a_malformed_row_costs_no_other(database, shop, row, reason):
    await run(database, shop, product_file(FIRST))
    content = f"Handle,Option1 Value,Variant Price\nshirt,S,20\n{row}shirt,L,30\n"

    _, [note] = await run(database, shop, content)

    assert note.line == 3
    assert reason in note.reason
    _, variants, _ = await one(database, shop, "shirt")
    assert [variant["price"]["price_minor"] for variant in variants] == [2000, 3000]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "The file is empty"),
        ("Title,Variant Price\nA,1\n", "Line 1: the header has no column Handle"),
        ("Handle,Title,title\na,A,B\n", "Line 1: columns 2 and 3 of the header are both Title"),
        (",".join(f"c{number}" for number in range(1_001)) + "\n", "Line 1: the header has 1,001 columns"),
        ('Handle,Title\na,"A\nb,B\n', "Line 2: a quote is opened in this row and never closed"),
        ('Handle,Title\na,"' + "A\n" * 9_000_000, "longer than 16,000,000 characters"),
    ],
)
async def test_a_file_that_cannot_be_used(database, shop, content, reason):
    before = await rows_of(database, shop)

    with pytest.raises(FileRefused, match=reason):
        await run(database, shop, content)

    assert await rows_of(database, shop) == before


async def test_a_shop_without_default_channel(database, shop):
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(text("UPDATE channel SET is_default = false"))
        await transaction.commit()

    with pytest.raises(FileRefused, match="no default channel"):
        await run(database, shop, product_file(FIRST))


async def test_formulas_are_kept_as_they_are(database, shop):
    await run(database, shop, product_file(FIRST | {"Title": "=1+1", "Vendor": "@home"}))

    product, _, _ = await one(database, shop, "shirt")
    assert (product["name"], product["vendor"]) == ("=1+1", "@home")
