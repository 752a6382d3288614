"""Product files for tests, and what a shop has after importing them."""

import csv
import dataclasses
import io

from sqlalchemy import text

from models import transfers
from resolvers.transfer.exports import export_products
from resolvers.transfer.imports import import_products
from resolvers.transfer.state import families, market

TABLES = (
    *("product", "variant", "listing", "stock_level", "media", "attribute_assignment", "attribute_value"),
    *("attribute", "product_type", "category", "warehouse", "channel_warehouse", "product_listing"),
)


def product_file(*rows, columns=None):
    """A file with a row for each mapping; the header has all the columns that any of them names."""
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


async def run(database, shop, content, *, is_rehearsal=False):
    """Import a text; give the summary and the notes."""
    notes = []

    async def progress(_, noted):
        notes.extend(noted)

    lines = io.StringIO(content, newline="")
    summary = await import_products(database.of_tenant(shop.id), lines, progress=progress, is_rehearsal=is_rehearsal)
    return summary, notes


async def exported(database, shop):
    tenant = database.of_tenant(shop.id)
    parts = [part async for part in export_products(tenant, progress=lambda _: None)]
    await tenant.close()
    return "".join(parts)


async def rows_of(database, shop):
    """Every row of the shop in the tables that an import writes, versions and times included."""
    tenant = database.of_tenant(shop.id)
    found = {
        table: [row.row for row in await tenant.fetch(text(f"SELECT CAST(t AS text) AS row FROM {table} t ORDER BY 1"))]  # noqa: S608
        for table in TABLES
    }
    await tenant.close()
    return found


async def shop_state(database, shop):
    """What the shop has, by slug, without ids."""
    tenant = database.of_tenant(shop.id)
    places = await market(tenant.fetch)
    rows = await tenant.fetch(transfers.products_after, after="", count=100_000)
    found = {family.product.slug: _plain(family) for family in await families(tenant.fetch, rows, places)}
    listed = await tenant.fetch(
        text(
            "SELECT p.slug, l.is_visible, l.price_from_minor, l.price_to_minor, c.slug AS category FROM product p "
            "LEFT JOIN product_listing l ON l.product_id = p.id LEFT JOIN category c ON c.id = l.category_id ORDER BY 1"
        )
    )
    await tenant.close()
    return found, [tuple(row) for row in listed]


def _plain(family):
    names = {variant.id: variant.name for variant in family.variants}
    product = dataclasses.asdict(family.product)
    del product["id"]
    variants = []
    for variant in family.variants:
        values = dataclasses.asdict(variant)
        del values["id"], values["product_id"]
        if values["price"]:
            del values["price"]["listing_id"]
        variants.append(values)
    images = [(image.url, image.alt, image.position, names.get(image.variant_id)) for image in family.images]
    return product, variants, images


async def one(database, shop, slug):
    """The product of a slug: its columns, its variants, its images."""
    products, _ = await shop_state(database, shop)
    return products[slug]
