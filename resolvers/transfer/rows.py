"""Reads the records of a product file as rows."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from core.csv_files import Record
from resolvers.transfer import columns as c
from resolvers.transfer import values
from resolvers.transfer.cells import KEEP, ImageCells, Keep, Note, ProductCells, Row, VariantCells

DEFAULT_OPTION = "Title"
DEFAULT_VALUE = "Default Title"
"""What Shopify calls the option and the value of a product's only variant."""

OWN_TRACKER = "shopify"
"""Who counts stock where nobody else does."""

LONGEST: Mapping[str, int] = {
    **dict.fromkeys((c.TITLE, c.VENDOR, c.TYPE, c.SKU, c.BARCODE), 255),
    **dict.fromkeys((c.SEO_TITLE, c.SEO_DESCRIPTION, c.IMAGE_ALT, c.CATEGORY), 2_000),
    c.HANDLE: 1_000,
    c.IMAGE: 2_048,
    c.VARIANT_IMAGE: 2_048,
}
"""Characters of a cell; Shopify's own bounds or above them, and what an index can hold."""

_SAYS_VARIANT = (c.SKU, c.PRICE, c.BARCODE, c.QUANTITY, c.COMPARE_AT, c.COST)
"""Columns that make a row tell of a variant; the others are also filled in beside mere images."""

ReadT = TypeVar("ReadT")


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """Reads the records of one file.

    Attributes:
        layout: Where the file has what.
        currency: What its prices are in.
    """

    layout: c.Layout
    currency: str

    def row(self, record: Record) -> Row:
        """Return what a record says; what cannot be used of it is noted and left out."""
        cells = record.cells
        handle = _cell(self.layout, cells, c.HANDLE)
        if problem := record.problem or self._misshapen(cells, handle):
            return Row(record.line, handle, 0, notes=(Note(record.line, handle, problem),))
        cells = [*cells, *[""] * (self.layout.width - len(cells))]
        problems: list[str] = []
        is_titled = bool(_cell(self.layout, cells, c.TITLE))
        product = _attempt(problems, lambda: self._product(cells, is_titled=is_titled))
        is_published = self._published(cells, problems)
        is_product_refused = bool(problems)
        variant = _attempt(problems, lambda: self._variant(cells, record.line))
        image = _attempt(problems, lambda: self._image(cells, record.line))
        if not is_titled:
            product, variant = self._with_extras(cells, product, variant)
        return Row(
            line=record.line,
            handle=handle,
            size=sum(map(len, cells)),
            is_titled=is_titled,
            product=product,
            variant=variant,
            image=image,
            option_names=tuple(_at(cells, option.name) for option in self.layout.options),
            is_published=is_published,
            is_product_refused=is_product_refused,
            notes=tuple(Note(record.line, handle, problem) for problem in problems),
        )

    def _misshapen(self, cells: Sequence[str], handle: str) -> str | None:
        if any(cells[self.layout.width :]):
            return (
                f"The row has {len(cells)} cells and the header {self.layout.width}: "
                "put quotes around the cell that has a comma in it."
            )
        if not handle:
            return "The row has no Handle: fill it in."
        if len(handle) > LONGEST[c.HANDLE]:
            return f"Handle has {len(handle):,} characters: shorten it to {LONGEST[c.HANDLE]:,}."
        return None

    def _text(self, cells: Sequence[str], column: str) -> str:
        """Return a cell as it is; empty where it is blank."""
        place = self.layout.places.get(column)
        text = "" if place is None else cells[place]
        if not text or text.isspace():
            return ""
        longest = LONGEST.get(column)
        if longest is not None and len(text) > longest:
            raise values.Unusable(f"{column} has {len(text):,} characters: shorten it to {longest:,}.")
        return text

    def _product(self, cells: Sequence[str], *, is_titled: bool) -> ProductCells | None:
        layout = self.layout
        if not is_titled and not any(_cell(layout, cells, name) for name in c.PRODUCT_COLUMNS):
            return None

        def read(column: str, blank: ReadT, parse: Callable[[str], ReadT]) -> ReadT | Keep:
            text = self._text(cells, column)
            if text:
                return parse(text)
            return blank if is_titled and column in layout.places else KEEP

        kept = {name: cells[place].strip() for name, place in layout.product_extras} if is_titled else {}
        return ProductCells(
            name=self._text(cells, c.TITLE) or KEEP,
            description=read(c.BODY, "", str),
            vendor=read(c.VENDOR, None, values.optional),
            type_name=read(c.TYPE, None, values.stripped),
            category=read(c.CATEGORY, None, values.category),
            tags=read(c.TAGS, (), values.tags),
            status=self._status(cells),
            seo_title=read(c.SEO_TITLE, None, values.optional),
            seo_description=read(c.SEO_DESCRIPTION, None, values.optional),
            extras=values.worth_keeping(kept),
            emptied=frozenset(kept) - set(values.worth_keeping(kept)),
        )

    def _status(self, cells: Sequence[str]) -> str | Keep:
        text = self._text(cells, c.STATUS).strip()
        return values.choice(text, c.STATUS, values.STATUSES) if text else KEEP

    def _variant(self, cells: Sequence[str], line: int) -> VariantCells | None:
        layout = self.layout
        options = self._option_cells(cells)
        if isinstance(options, Keep) and not any(_cell(layout, cells, name) for name in _SAYS_VARIANT):
            return None

        def key(column: str) -> str | Keep | None:
            return self._text(cells, column).strip() or (None if column in layout.places else KEEP)

        def number(column: str, blank: ReadT, parse: Callable[[str, str], ReadT]) -> ReadT | Keep:
            text = self._text(cells, column).strip()
            if text:
                return parse(text, column)
            return blank if column in layout.places else KEEP

        kept = {name: cells[place].strip() for name, place in layout.variant_extras}
        policy = self._text(cells, c.POLICY).strip()
        return VariantCells(
            line=line,
            options=options,
            sku=key(c.SKU),
            barcode=key(c.BARCODE),
            weight_g=number(c.GRAMS, KEEP, values.grams),
            tracker=key(c.TRACKER),
            continues=values.choice(policy, c.POLICY, values.CONTINUES) if policy else KEEP,
            quantity=number(c.QUANTITY, KEEP, values.quantity),
            price_minor=number(c.PRICE, KEEP, self._money),
            compare_at_minor=number(c.COMPARE_AT, None, self._money),
            cost_minor=number(c.COST, None, self._money),
            image=self._variant_image(cells),
            extras=values.worth_keeping(kept),
            emptied=frozenset(kept) - set(values.worth_keeping(kept)),
        )

    def _published(self, cells: Sequence[str], problems: list[str]) -> bool | Keep:
        if _cell(self.layout, cells, c.STATUS).casefold() == "unlisted":
            return False
        text = _cell(self.layout, cells, c.PUBLISHED)
        try:
            return values.choice(text, c.PUBLISHED, values.FLAGS) if text else KEEP
        except values.Unusable as error:
            problems.append(str(error))
            return KEEP

    def _variant_image(self, cells: Sequence[str]) -> str | Keep | None:
        text = self._text(cells, c.VARIANT_IMAGE).strip()
        if text:
            return values.address(text, c.VARIANT_IMAGE)
        return None if c.VARIANT_IMAGE in self.layout.places else KEEP

    def _option_cells(self, cells: Sequence[str]) -> tuple[tuple[str, str], ...] | Keep:
        pairs = [(_at(cells, option.name), _at(cells, option.value)) for option in self.layout.options]
        found = [(number, name, value) for number, (name, value) in enumerate(pairs) if value]
        if not found:
            return KEEP
        for number, name, value in found:
            if max(len(name), len(value)) > values.LONGEST_OPTION:
                raise values.Unusable(
                    f"Option{number + 1} is too long: shorten it to {values.LONGEST_OPTION} characters."
                )
        if len(found) == 1 and found[0][1] in {"", DEFAULT_OPTION} and found[0][2] == DEFAULT_VALUE:
            return ()
        if len(found) <= found[-1][0]:
            raise values.Unusable(f"Option{found[-1][0] + 1} has a value and one before it has none: fill it in.")
        return tuple((name, value) for _, name, value in found)

    def _image(self, cells: Sequence[str], line: int) -> ImageCells | None:
        url = self._text(cells, c.IMAGE).strip()
        if not url:
            return None
        position = self._text(cells, c.IMAGE_POSITION).strip()
        alt = self._text(cells, c.IMAGE_ALT)
        return ImageCells(
            line=line,
            url=values.address(url, c.IMAGE),
            position=values.whole(position, c.IMAGE_POSITION) if position else KEEP,
            alt=alt if alt or c.IMAGE_ALT in self.layout.places else KEEP,
        )

    def _money(self, text: str, column: str) -> int:
        return values.money(text, column, currency=self.currency)

    def _with_extras(
        self, cells: Sequence[str], product: ProductCells | None, variant: VariantCells | None
    ) -> tuple[ProductCells | None, VariantCells | None]:
        """Keep the further columns of a row without title with what it tells of."""
        extras = values.worth_keeping({name: cells[place].strip() for name, place in self.layout.product_extras})
        if not extras:
            return product, variant
        if variant is not None:
            return product, dataclasses.replace(variant, extras={**variant.extras, **extras})
        return dataclasses.replace(product or ProductCells(), extras=extras), None


def _attempt(problems: list[str], read: Callable[[], ReadT | None]) -> ReadT | None:
    try:
        return read()
    except values.Unusable as error:
        problems.append(str(error))
        return None


def _at(cells: Sequence[str], place: int | None) -> str:
    return "" if place is None else cells[place].strip()


def _cell(layout: c.Layout, cells: Sequence[str], column: str) -> str:
    place = layout.places.get(column)
    return cells[place].strip() if place is not None and place < len(cells) else ""
