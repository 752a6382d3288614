"""Compares what a file says of products with what the shop has, and says what to change."""

import dataclasses
from collections.abc import Mapping, Sequence

from core.ids import new_id
from resolvers.transfer import columns as c
from resolvers.transfer.cells import KEEP, ImageCells, Keep, Note, ProductCells, VariantCells, given, overlaid
from resolvers.transfer.changes import Change, VariantChange
from resolvers.transfer.drafts import Draft
from resolvers.transfer.gallery import Gallery
from resolvers.transfer.matching import Match, Matcher
from resolvers.transfer.rows import OWN_TRACKER
from resolvers.transfer.state import Family, Price, Product, Stock, Variant

UNLIMITED_BACKORDERS = 1_000_000
"""What may be sold of a variant beyond its stock when sales continue without any."""


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of a draft; no change where it was refused."""

    change: Change | None
    notes: Sequence[Note] = ()


def plan(
    draft: Draft, family: Family | None, *, slug: str, owners: Mapping[str, str], describes_variants: bool
) -> Planned:
    """Say what to change of a product.

    Args:
        draft: What the file says.
        family: What the shop has; None for a new product.
        slug: Of the product.
        owners: Slug of the product that has a SKU, for those in the draft.
        describes_variants: Whether the file has columns for variants.
    """
    before = family.product if family else None
    product = _product(draft, before, slug)
    if product is None:
        return Planned(None, _refused(draft))
    matcher = Matcher(draft.handle, slug, family.variants if family else (), owners)
    matches = matcher.match(draft.variants)
    notes = list(matcher.notes)
    if family is None and not matches:
        if draft.is_short or notes:
            reason = "The product was not created: none of its variants can be used."
            return Planned(None, (*notes, Note(draft.line, draft.handle, reason)))
        if not describes_variants:
            matches = [Match(VariantCells(draft.line, options=()), None)]
    gallery = Gallery(product.id, family.images if family else (), _images(draft.images))
    variants = _Variants(product, family.variants if family else (), gallery, notes, draft.handle)
    changes = tuple(variants.change(match) for match in matches)
    return Planned(Change(before, product, changes, gallery.changes()), notes)


def _refused(draft: Draft) -> tuple[Note, ...]:
    """Note each row of a product that neither exists nor can be made."""
    reason = (
        f"Its product was refused (from line {draft.line}): correct that first."
        if draft.is_refused
        else "No product has this handle, and the row has no Title: give its product's first row a Title."
    )
    lines = {draft.line, *(cells.line for cells in draft.variants), *(cells.line for cells in draft.images)}
    known = {draft.line} if draft.is_refused else set()
    return tuple(Note(line, draft.handle, reason) for line in sorted(lines - known))


def _product(draft: Draft, before: Product | None, slug: str) -> Product | None:
    cells = draft.product or ProductCells()
    if before is None:
        if draft.is_refused or isinstance(cells.name, Keep):
            return None
        fresh = Product(id=new_id(), slug=slug, name=cells.name)
    else:
        fresh = before
    extras = {name: text for name, text in fresh.extras.items() if name not in cells.emptied} | dict(cells.extras)
    extras.pop(c.HANDLE, None)
    if draft.handle != slug:
        extras[c.HANDLE] = draft.handle
    type_name = given(cells.type_name, fresh.type_name)
    category = given(cells.category, fresh.category)
    return dataclasses.replace(
        fresh,
        name=given(cells.name, fresh.name),
        description=given(cells.description, fresh.description),
        vendor=given(cells.vendor, fresh.vendor),
        tags=given(cells.tags, fresh.tags),
        status=given(cells.status, fresh.status),
        seo_title=given(cells.seo_title, fresh.seo_title),
        seo_description=given(cells.seo_description, fresh.seo_description),
        # Types and categories are shared, so another spelling of the same name is no change.
        type_name=fresh.type_name if _is_same((type_name,), (fresh.type_name,)) else type_name,
        category=fresh.category if _is_same(category, fresh.category) else category,
        extras=extras,
    )


def _is_same(first: Sequence[str | None] | None, second: Sequence[str | None] | None) -> bool:
    def folded(names: Sequence[str | None] | None) -> list[str | None] | None:
        return names and [name and name.casefold() for name in names]  # type: ignore[return-value]

    return folded(first) == folded(second)


def _images(images: Sequence[ImageCells]) -> Sequence[ImageCells]:
    """Merge rows that say the same image; the later has the last word."""
    found: dict[str, ImageCells] = {}
    for cells in images:
        found[cells.url] = overlaid(found[cells.url], cells) if cells.url in found else cells
    return tuple(found.values())


class _Variants:
    """Says what to change of the variants of one product."""

    def __init__(
        self, product: Product, variants: Sequence[Variant], gallery: Gallery, notes: list[Note], handle: str
    ) -> None:
        self._product = product
        self._gallery = gallery
        self._notes = notes
        self._handle = handle
        self._position = max((variant.position for variant in variants), default=0)
        prices = [variant.price.is_published for variant in variants if variant.price]
        self._is_published = any(prices) if prices else True

    def change(self, match: Match) -> VariantChange:
        """Return a row's variant before and after."""
        cells, before = match.cells, match.variant
        fresh = before or self._new()
        options = self._options(cells, fresh)
        backorder_limit = _backorder_limit(cells, fresh.backorder_limit)
        return VariantChange(
            before,
            dataclasses.replace(
                fresh,
                sku=given(cells.sku, fresh.sku),
                name=fresh.name if options == fresh.options else " / ".join(value for _, value in options),
                barcode=given(cells.barcode, fresh.barcode),
                weight_g=given(cells.weight_g, fresh.weight_g),
                track_inventory=fresh.track_inventory if cells.tracker is KEEP else cells.tracker is not None,
                backorder_limit=backorder_limit,
                options=options,
                extras=self._extras(cells, fresh),
                price=self._price(cells, fresh.price),
                stock=self._stock(cells, fresh, backorder_limit),
            ),
        )

    def _new(self) -> Variant:
        self._position += 1
        return Variant(id=new_id(), product_id=self._product.id, position=self._position)

    def _options(self, cells: VariantCells, fresh: Variant) -> tuple[tuple[str, str], ...]:
        """Return the options; attributes and their values are shared, so another spelling is no change."""
        if isinstance(cells.options, Keep) or _is_same(sum(cells.options, ()), sum(fresh.options, ())):
            return fresh.options
        return cells.options

    def _extras(self, cells: VariantCells, fresh: Variant) -> dict[str, str]:
        extras = {name: text for name, text in fresh.extras.items() if name not in cells.emptied} | dict(cells.extras)
        if not isinstance(cells.tracker, Keep):
            extras.pop(c.TRACKER, None)
            if cells.tracker is not None and cells.tracker.casefold() != OWN_TRACKER:
                extras[c.TRACKER] = cells.tracker
        if not isinstance(cells.image, Keep):
            shared = self._gallery.show(fresh.id, cells.image, shared=extras.pop(c.VARIANT_IMAGE, None))
            if shared is not None:
                extras[c.VARIANT_IMAGE] = shared
        return extras

    def _price(self, cells: VariantCells, before: Price | None) -> Price | None:
        if before is None:
            if isinstance(cells.price_minor, Keep):
                return None
            before = Price(new_id(), cells.price_minor, None, None, self._is_published)
        return Price(
            before.listing_id,
            given(cells.price_minor, before.price_minor),
            given(cells.compare_at_minor, before.compare_at_minor),
            given(cells.cost_minor, before.cost_minor),
            given(cells.is_published, before.is_published),
        )

    def _stock(self, cells: VariantCells, fresh: Variant, backorder_limit: int) -> Stock | None:
        before = fresh.stock
        quantity = cells.quantity
        if not isinstance(quantity, Keep) and quantity < 0:
            reason = f"{c.QUANTITY} is {quantity}: it was taken as 0, since stock cannot be negative."
            self._notes.append(Note(cells.line, self._handle, reason, is_refusal=False))
            quantity = 0
        if before is None:
            return None if isinstance(quantity, Keep) else Stock(quantity, 0, backorder_limit)
        # A limit that the warehouse has of its own stays until the variant's changes.
        limit = before.backorder_limit if backorder_limit == fresh.backorder_limit else backorder_limit
        after = Stock(given(quantity, before.on_hand), before.promised, limit)
        if after.promised > after.on_hand + after.backorder_limit:
            reason = (
                f"{after.promised} are promised to orders, more than the stock of {after.on_hand} would allow: "
                f"the stock stays {before.on_hand}. Cancel orders or give more."
            )
            self._notes.append(Note(cells.line, self._handle, reason))
            return before
        return after


def _backorder_limit(cells: VariantCells, before: int) -> int:
    if cells.continues is KEEP:
        return before
    return (before or UNLIMITED_BACKORDERS) if cells.continues else 0
