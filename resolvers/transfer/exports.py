"""Exports products as the lines of a CSV file, in the columns of Shopify's product export."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

from core.csv_files import Writer
from core.database import TenantDatabase
from core.errors import FileRefused
from core.money import Money
from models import transfers
from resolvers.transfer import columns as c
from resolvers.transfer.rows import DEFAULT_OPTION, DEFAULT_VALUE, OWN_TRACKER
from resolvers.transfer.state import Family, Image, Market, Price, Product, Variant, families, market

BATCH_PRODUCTS = 500

Cells = dict[str, str]
"""Cells of a row by the name of their column; missing ones are empty."""


async def export_products(database: TenantDatabase, *, progress: Callable[[int], None]) -> AsyncIterator[str]:
    """Export all products of a shop, by slug; an import of the lines gives the same products.

    Products are read batch by batch, all in one snapshot.

    Args:
        database: Of the shop; nothing else may use it until the end.
        progress: Told after each batch how many products were exported.

    Yields:
        Parts of the file, each of whole lines.

    Raises:
        FileRefused: The shop has no default channel, so that it has no prices.
    """
    places = await market(database.fetch)
    if places is None:
        raise FileRefused("The shop has no default channel, whose prices an export gives: make one.")
    [most] = await database.fetch(transfers.most_options)
    extras = [row.name for row in await database.fetch(transfers.extra_names)]
    columns = c.exported(most.most, extras)
    writer = Writer()
    writer.write(columns)
    yield writer.take()
    count, after = 0, ""
    while rows := await database.fetch(transfers.products_after, after=after, count=BATCH_PRODUCTS):
        for family in await families(database.fetch, rows, places):
            for cells in _rows(family, places):
                writer.write(cells.get(column, "") for column in columns)
        count, after = count + len(rows), rows[-1].slug
        yield writer.take()
        progress(count)


def _rows(family: Family, places: Market) -> Iterator[Cells]:
    """Give the rows of a product: a variant and an image in each, for as long as there are some."""
    handle = family.product.extras.get(c.HANDLE, family.product.slug)
    is_published = next((variant.price.is_published for variant in family.variants if variant.price), True)
    named: dict[int, str] = {}
    for place in range(max(1, len(family.variants), len(family.images))):
        cells = {c.HANDLE: handle, c.PUBLISHED: _flag(is_published)} if place == 0 else {c.HANDLE: handle}
        if place < len(family.variants):
            variant = family.variants[place]
            cells |= _variant(variant, places, family.images)
            cells |= _options(variant.options, named)
            if variant.price and variant.price.is_published != is_published:
                cells[c.PUBLISHED] = _flag(variant.price.is_published)
        if place < len(family.images):
            cells |= _image(family.images[place])
        if place == 0:
            cells |= _product(family.product)
        yield cells


def _product(product: Product) -> Cells:
    return {
        "Gift Card": c.USUAL["Gift Card"],
        **product.extras,
        c.HANDLE: product.extras.get(c.HANDLE, product.slug),
        c.TITLE: product.name,
        c.BODY: product.description,
        c.VENDOR: product.vendor or "",
        c.CATEGORY: " > ".join(product.category or ()),
        c.TYPE: product.type_name or "",
        c.TAGS: ", ".join(product.tags),
        c.STATUS: product.status.lower(),
        c.SEO_TITLE: product.seo_title or "",
        c.SEO_DESCRIPTION: product.seo_description or "",
    }


def _variant(variant: Variant, places: Market, images: Sequence[Image]) -> Cells:
    own = next((image.url for image in images if image.variant_id == variant.id), None)
    usual = {name: text for name, text in c.USUAL.items() if name.startswith("Variant")}
    cells = {
        **usual,
        **variant.extras,
        c.SKU: variant.sku or "",
        c.GRAMS: _number(variant.weight_g),
        c.TRACKER: variant.extras.get(c.TRACKER, OWN_TRACKER) if variant.track_inventory else "",
        c.QUANTITY: _number(variant.stock.on_hand if variant.stock else None),
        c.POLICY: "continue" if variant.backorder_limit else "deny",
        c.BARCODE: variant.barcode or "",
        c.VARIANT_IMAGE: own or variant.extras.get(c.VARIANT_IMAGE, ""),
    }
    return cells | (_price(variant.price, places.currency) if variant.price else {})


def _price(price: Price, currency: str) -> Cells:
    amounts: Mapping[str, int | None] = {
        c.PRICE: price.price_minor,
        c.COMPARE_AT: price.compare_at_minor,
        c.COST: price.cost_minor,
    }
    return {name: str(Money(minor, currency).amount) for name, minor in amounts.items() if minor is not None}


def _options(options: Sequence[tuple[str, str]], named: dict[int, str]) -> Cells:
    """Return the options, with their names where these are not the ones that the product's rows had first.

    Args:
        options: Of the variant; a product's only one has none.
        named: The first name of each option so far, which is kept up.
    """
    cells: Cells = {}
    for number, (name, value) in enumerate(options or [(DEFAULT_OPTION, DEFAULT_VALUE)], 1):
        cells[f"Option{number} Value"] = value
        if named.get(number) != name:
            cells[f"Option{number} Name"] = name
            named.setdefault(number, name)
    return cells


def _image(image: Image) -> Cells:
    return {c.IMAGE: image.url, c.IMAGE_POSITION: str(image.position), c.IMAGE_ALT: image.alt}


def _flag(value: bool) -> str:  # noqa: FBT001 - it is the value.
    return "true" if value else "false"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
