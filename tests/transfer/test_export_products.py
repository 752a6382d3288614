"""An export is read back without a difference."""

import csv
import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factories
from tests.transfer.files import exported, product_file, rows_of, run, shop_state
from tests.transfer.test_import_products import BACK, RED, SHIRT

ODD = product_file(
    SHIRT,
    RED | {"Google Shopping / MPN": "42", "Option1 Linked To": "x", "Price / International": "50"},
    BACK,
    {"Handle": "Odd_Handle", "Title": "=cmd()", "Vendor": "''=quoted", "Tags": "-a, +b", "Status": "draft"},
    {
        "Handle": "hidden",
        "Title": 'Line\nbreaks\r\nand "quotes", commas; tabs\t',
        "Body (HTML)": "\tindented\r",
        "Published": "FALSE",
        "Option1 Name": "Title",
        "Option1 Value": "Default Title",
        "Variant Price": "0",
        "Variant Inventory Tracker": "warehouse-x",
        "Variant Requires Shipping": "false",
        "=cmd (product.metafields.x)": "@SUM(A1)",
    },
    {"Handle": "bare", "Title": "Bare", "Image Src": "https://a.example/1.jpg"},
    {"Handle": "bare", "Image Src": "https://a.example/2.jpg", "Image Position": "9"},
)


async def round_trip(database, shop, content):
    """Import a file, export it, import that into another shop and export this; give both shops' states and files."""
    await run(database, shop, content)
    first = await exported(database, shop)
    other = await factories.shop(database)
    _, notes = await run(database, other, first)
    assert notes == []
    return (await shop_state(database, shop), first), (
        await shop_state(database, other),
        await exported(database, other),
    )


async def test_another_shop_gets_the_same(database, shop):
    first, second = await round_trip(database, shop, ODD)

    assert second == first
    assert set(first[0][0]) == {"linen-shirt", "odd-handle", "hidden", "bare"}


async def test_the_same_shop_stays_the_same(database, shop):
    await run(database, shop, ODD)
    before = await rows_of(database, shop)

    summary, notes = await run(database, shop, await exported(database, shop))

    assert notes == []
    assert await rows_of(database, shop) == before
    assert summary.products.unchanged == 4


async def test_formulas_are_defused(database, shop):
    await run(database, shop, ODD)

    content = await exported(database, shop)

    cells = [cell for row in csv.reader(io.StringIO(content, newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]
    assert {"'=cmd()", "''=quoted", "'-a, +b", "'=cmd (product.metafields.x)", "'@SUM(A1)"} <= set(cells)


async def test_columns_are_shopifys(database, shop):
    await run(database, shop, ODD)

    header = next(csv.reader(io.StringIO(await exported(database, shop))))

    assert header[:9] == "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name".split(",")
    assert header[-3:] == ["Cost per item", "Price / International", "Status"]
    assert header.index("Fabric (product.metafields.custom.fabric)") < header.index("Variant Image")


async def test_variants_of_several_publications_and_options(database, shop):
    rows = [
        {"Handle": "a", "Title": "A", "Published": "true", "Option1 Name": "Size", "Option1 Value": "S"},
        {"Handle": "a", "Published": "false", "Option1 Value": "M", "Variant Price": "2"},
        {"Handle": "a", "Option1 Name": "Color", "Option1 Value": "Red", "Variant Price": "3"},
        {"Handle": "a", "Option1 Value": "L", "Option2 Name": "Color", "Option2 Value": "Red"},
    ]
    rows[0] |= {"Variant Price": "1"}

    first, second = await round_trip(database, shop, product_file(*rows))

    variants = first[0][0]["a"][1]
    assert second == first
    assert [variant["price"] and variant["price"]["is_published"] for variant in variants] == [True, False, True, None]
    assert variants[2]["options"] == (("Color", "Red"),)


async def test_an_empty_shop_gives_a_header(database, shop):
    content = await exported(database, shop)

    assert len(content.splitlines()) == 1
    summary, _ = await run(database, shop, content)
    assert summary.rows == 0


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = texts.filter(str.strip)
products = st.lists(
    st.fixed_dictionaries(
        {
            "Handle": names.map(lambda text: f"h{text}"),
            "Title": names,
            "Body (HTML)": texts.filter(lambda text: not text or text.strip()),
            "Vendor": names,
            "Option1 Name": st.sampled_from(["Size", "Größe", "色", "="]),
            "Option1 Value": names,
            "Variant Price": st.integers(0, 10**6).map(lambda cents: f"{cents / 100:.2f}"),
            "Some (product.metafields.a.b)": texts,
        }
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row["Handle"].strip().lower(),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=products)
async def test_any_text_survives(database, rows):
    shop = await factories.shop(database)

    first, second = await round_trip(database, shop, product_file(*rows))

    assert second == first
    assert sorted(family[0]["name"] for family in first[0][0].values()) == sorted(
        _restored(row["Title"]) for row in rows
    )


def _restored(title):
    """Read back what an import takes for a defused formula."""
    return title[1:] if title.startswith("'") and title.lstrip("'")[:1] in {"=", "+", "-", "@", "\t", "\r"} else title
