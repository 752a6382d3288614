"""Finds the variants that the rows of a product mean."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from resolvers.transfer.cells import Keep, Note, VariantCells, overlaid
from resolvers.transfer.state import Variant

Options = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """A row's variant; None for a new one."""

    cells: VariantCells
    variant: Variant | None


class Matcher:
    """Matches the rows of one product, each variant to one row: by SKU first, then by option values."""

    def __init__(self, handle: str, slug: str, variants: Sequence[Variant], owners: Mapping[str, str]) -> None:
        """Begin with what there is.

        Args:
            handle: For notes.
            slug: Of the product.
            variants: That the product has.
            owners: Slug of the product that has a SKU.
        """
        self.notes: list[Note] = []
        self._handle = handle
        self._slug = slug
        self._variants = variants
        self._owners = owners
        self._by_sku = {variant.sku: variant for variant in reversed(variants) if variant.sku}
        self._by_options = {folded(variant.options): variant for variant in reversed(variants)}
        self._names = next(([name for name, _ in variant.options] for variant in variants if variant.options), [])
        self._lines: dict[object, int] = {}

    def match(self, rows: Iterable[VariantCells]) -> list[Match]:
        """Return the variants of rows; those that cannot be told apart are noted and left out."""
        merged = _merged(self._named(rows))
        if sum(_has_no_options(cells) for cells in merged) > 1:
            # Only their SKUs tell them apart.
            self._by_options.pop((), None)
        found = (self._match(cells) for cells in merged)
        return [match for match in found if match is not None]

    def _named(self, rows: Iterable[VariantCells]) -> Iterable[VariantCells]:
        """Name the options that the file does not as the product's variants have them."""
        for cells in rows:
            if isinstance(cells.options, Keep):
                yield cells
                continue
            names = [*self._names, *[""] * len(cells.options)]
            options = tuple((name or names[place], value) for place, (name, value) in enumerate(cells.options))
            unnamed = next((place for place, (name, _) in enumerate(options, 1) if not name), None)
            if unnamed is None:
                yield dataclasses.replace(cells, options=options) if options != cells.options else cells
            else:
                self._note(cells, f"Option{unnamed} has a value and no name: fill in Option{unnamed} Name.")

    def _match(self, cells: VariantCells) -> Match | None:
        sku = cells.sku if isinstance(cells.sku, str) else None
        options = () if isinstance(cells.options, Keep) else folded(cells.options)
        candidates = [
            variant for variant in (self._by_sku.get(sku or ""), self._by_options.get(options)) if variant is not None
        ]
        variant = next((candidate for candidate in candidates if candidate.id not in self._lines), None)
        if variant is not None and isinstance(cells.options, Keep):
            options = folded(variant.options)
        if problem := self._problem(cells, sku, options, is_known=variant is not None):
            self._note(cells, problem)
            return None
        for key in (variant.id if variant else None, ("sku", sku) if sku else None, ("options", options)):
            if key is not None:
                self._lines[key] = cells.line
        return Match(cells, variant)

    def _problem(self, cells: VariantCells, sku: str | None, options: Options, *, is_known: bool) -> str | None:
        if ("options", options) in self._lines and not (sku and not options):
            return f"Line {self._lines['options', options]} has the same options: give each variant its own."
        if sku and ("sku", sku) in self._lines:
            return f"Line {self._lines['sku', sku]} has the SKU {sku} too: give each variant its own."
        owner = self._owners.get(sku or "", self._slug)
        if owner != self._slug:
            return f"The product {owner} has the SKU {sku}: give each variant its own."
        if not is_known and isinstance(cells.options, Keep) and self._names:
            return "The product has options and the row gives neither theirs nor a SKU that it has: fill them in."
        return None

    def _note(self, cells: VariantCells, reason: str) -> None:
        self.notes.append(Note(cells.line, self._handle, reason))


def folded(options: Options) -> Options:
    """Return options as they are compared: without regard to case."""
    return tuple((name.casefold(), value.casefold()) for name, value in options)


def _has_no_options(cells: VariantCells) -> bool:
    return isinstance(cells.options, Keep) or not cells.options


def _merged(rows: Iterable[VariantCells]) -> list[VariantCells]:
    """Merge rows that say the same variant; the later has the last word."""
    found: dict[object, VariantCells] = {}
    for cells in rows:
        options = cells.options if isinstance(cells.options, Keep) else folded(cells.options)
        key = (cells.sku if isinstance(cells.sku, str) else None, options)
        found[key] = overlaid(found[key], cells) if key in found else cells
    return list(found.values())
