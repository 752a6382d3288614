"""Gathers rows into products, and products into batches that are stored together."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from resolvers.transfer.cells import KEEP, ImageCells, Keep, Note, ProductCells, Row, VariantCells, overlaid

BATCH_PRODUCTS = 500
BATCH_ROWS = 2_000
BATCH_CHARACTERS = 8_000_000
"""A batch is stored in one write block; these bound its memory and how long it holds locks."""

LARGEST_BATCH_ROWS = 3 * BATCH_ROWS
"""A product with more rows is stored in parts; the later ones find the earlier ones in the database."""


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """What a file says of a product.

    Attributes:
        handle: As the file spells it.
        line: Where its first row starts.
        product: What was said of the product itself, if anything.
        option_names: Of each option, empty where the file does not name it.
        is_refused: Whether something said of the product itself cannot be used.
        is_short: Whether a row of the product, or a part of one, was refused.
    """

    handle: str
    line: int
    product: ProductCells | None
    variants: Sequence[VariantCells]
    images: Sequence[ImageCells]
    option_names: tuple[str, ...]
    is_refused: bool
    is_short: bool

    @property
    def key(self) -> str:
        """What the handle is compared by."""
        return self.handle.lower()


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """Products to store together, each once.

    Attributes:
        notes: What was noted while reading the rows.
        rows: How many rows were read.
    """

    drafts: Sequence[Draft]
    notes: Sequence[Note]
    rows: int


def batches(rows: Iterable[Row]) -> Iterator[Batch]:
    """Gather the rows of a file.

    Rows of a handle that follow each other are one product, and so are those that come again later.
    """
    drafts: dict[str, Draft] = {}
    read: list[Row] = []
    size = count = 0
    for group in _groups(rows):
        _gather(drafts, group)
        read.extend(group)
        count += len(group)
        size += sum(row.size for row in group)
        if len(drafts) >= BATCH_PRODUCTS or count >= BATCH_ROWS or size >= BATCH_CHARACTERS:
            yield Batch(tuple(drafts.values()), _notes(read), count)
            drafts, read, size, count = {}, [], 0, 0
    if count:
        yield Batch(tuple(drafts.values()), _notes(read), count)


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Split rows where the handle changes; one that cannot be used does not split its product."""
    group: list[Row] = []
    size = 0
    current: str | None = None
    for row in rows:
        key = row.handle.lower() if row.size else current
        is_other = current is not None and key != current
        if is_other or len(group) >= LARGEST_BATCH_ROWS or size >= BATCH_CHARACTERS:
            yield group
            group, size = [], 0
        group.append(row)
        size += row.size
        current = key
    if group:
        yield group


def _notes(rows: Iterable[Row]) -> tuple[Note, ...]:
    return tuple(note for row in rows for note in row.notes)


def _gather(drafts: dict[str, Draft], group: Sequence[Row]) -> None:
    usable = [row for row in group if row.size]
    if not usable:
        return
    draft = _draft(usable, is_short=any(row.notes for row in group))
    earlier = drafts.get(draft.key)
    drafts[draft.key] = draft if earlier is None else _joined(earlier, draft)


def _draft(rows: Sequence[Row], *, is_short: bool) -> Draft:
    """Make a product of rows that follow each other: of the product itself, the first that says something counts."""
    names = _option_names(rows)
    is_published = next((row.is_published for row in rows if row.is_published is not KEEP), KEEP)
    product: ProductCells | None = None
    variants: list[VariantCells] = []
    for row in rows:
        if row.variant is not None:
            shown = is_published if row.is_published is KEEP else row.is_published
            variant = row.variant if shown is KEEP else dataclasses.replace(row.variant, is_published=shown)
            variants.append(_named(variant if product is None else _with_own(variant, row, product), names))
        product = _said(product, row)
    return Draft(
        handle=rows[0].handle,
        line=rows[0].line,
        product=product,
        variants=tuple(variants),
        images=tuple(row.image for row in rows if row.image is not None),
        option_names=names,
        is_refused=any(row.is_product_refused for row in rows),
        is_short=is_short,
    )


def _said(product: ProductCells | None, row: Row) -> ProductCells | None:
    """Add what a row says of the product to what the rows before it said; a cell that those left empty stays so."""
    if row.product is None or product is None:
        return row.product or product
    extras = {name: text for name, text in row.product.extras.items() if name not in product.emptied}
    return overlaid(dataclasses.replace(row.product, extras=extras), product)


def _with_own(variant: VariantCells, row: Row, product: ProductCells) -> VariantCells:
    """Where a later row repeats the title, let what it says otherwise than the product be the variant's own."""
    if row.product is None or not row.is_titled:
        return variant
    own = {name: text for name, text in row.product.extras.items() if product.extras.get(name) != text}
    return dataclasses.replace(variant, extras={**variant.extras, **own}) if own else variant


def _option_names(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the first name that each option is given."""
    return tuple(next(filter(None, names), "") for names in zip(*(row.option_names for row in rows), strict=True))


def _named(variant: VariantCells, names: Sequence[str]) -> VariantCells:
    """Give the options of a variant the names that another row of the product has."""
    if isinstance(variant.options, Keep):
        return variant
    options = tuple((name or names[place], value) for place, (name, value) in enumerate(variant.options))
    return variant if options == variant.options else dataclasses.replace(variant, options=options)


def _joined(earlier: Draft, later: Draft) -> Draft:
    """Join a product with what the file says of it again later, which has the last word."""
    product = later.product
    if product is None or earlier.product is None:
        product = product or earlier.product
    else:
        product = overlaid(earlier.product, product)
    names = tuple(first or second for first, second in zip(earlier.option_names, later.option_names, strict=True))
    return dataclasses.replace(
        earlier,
        product=product,
        variants=(*earlier.variants, *(_named(variant, names) for variant in later.variants)),
        images=(*earlier.images, *later.images),
        option_names=names,
        is_refused=earlier.is_refused or later.is_refused,
        is_short=earlier.is_short or later.is_short,
    )
