"""Imports products from the lines of a CSV file."""

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

from core.csv_files import Record, records
from core.database import TenantDatabase
from core.errors import FileRefused
from models import transfers
from resolvers.transfer import columns as c
from resolvers.transfer.cells import Note
from resolvers.transfer.changes import Change
from resolvers.transfer.columns import Layout, layout_of
from resolvers.transfer.drafts import Batch, Draft, batches
from resolvers.transfer.planning import Planned, plan
from resolvers.transfer.rows import Reader
from resolvers.transfer.slugs import candidates, free_slug
from resolvers.transfer.state import Family, Market, Product, families, market
from resolvers.transfer.storing import Block, store_changes


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """How many of a kind an import met."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.created + other.created, self.updated + other.updated, self.unchanged + other.unchanged)


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """What an import did.

    Attributes:
        rows: Rows read, without the header.
        refused: Notes of something left out.
        corrected: Notes of something taken otherwise than it was written.
    """

    rows: int = 0
    products: Count = Count()
    variants: Count = Count()
    images: Count = Count()
    refused: int = 0
    corrected: int = 0

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(
            self.rows + other.rows,
            self.products + other.products,
            self.variants + other.variants,
            self.images + other.images,
            self.refused + other.refused,
            self.corrected + other.corrected,
        )


Progress = Callable[[Summary, Sequence[Note]], Awaitable[None]]
"""Told after each batch: all that was done so far, and what was noted since the last time."""


async def import_products(
    database: TenantDatabase, lines: Iterable[str], *, progress: Progress, is_rehearsal: bool = False
) -> Summary:
    """Import products, batch by batch; each is stored whole or not at all.

    A second import of the same lines changes nothing. What the lines do not tell of stays as it is.

    Args:
        database: Of the shop.
        lines: Of a CSV file with header, with their line ends; they are read in a thread.
        progress: See `Progress`.
        is_rehearsal: Store nothing; each batch is stored and taken back.

    Raises:
        FileRefused: The lines are no product file, or cannot be read to the end; the batches before are stored.
    """
    found = records(lines)
    layout = _layout(found)
    places = await market(database.fetch)
    await database.close()
    if places is None:
        raise FileRefused("The shop has no default channel: make one, so that prices have a place.")
    reader = Reader(layout, places.currency)
    total = Summary()
    async with contextlib.aclosing(_ahead(batches(map(reader.row, found)))) as prepared:
        async for batch in prepared:
            done, notes = await _store(database, batch, layout, is_rehearsal=is_rehearsal)
            total += done
            await progress(total, notes)
    return total


async def _ahead(prepared: Iterator[Batch]) -> AsyncGenerator[Batch, None]:
    """Read the next batch in a thread while the database stores the one before."""
    upcoming = asyncio.create_task(asyncio.to_thread(next, prepared, None))
    try:
        while (batch := await upcoming) is not None:
            upcoming = asyncio.create_task(asyncio.to_thread(next, prepared, None))
            yield batch
    finally:
        # What cannot be read matters no more where the one before could not be stored.
        upcoming.cancel()
        await asyncio.wait([upcoming])


def _layout(found: Iterator[Record]) -> Layout:
    header = next(found, None)
    if header is None:
        raise FileRefused("The file is empty: give a product CSV with a header.")
    if header.problem is not None:
        raise FileRefused(f"Line {header.line}: {header.problem}")
    return layout_of(header.cells)


async def _store(
    database: TenantDatabase, batch: Batch, layout: Layout, *, is_rehearsal: bool
) -> tuple[Summary, Sequence[Note]]:
    async with database.write() as transaction:
        block = Block(transaction)
        await block.run(transfers.begin_batch)
        await block.run(transfers.plan_anew)
        places = await market(block.fetch)
        if places is None:
            raise FileRefused("The shop's default channel is gone: make one and import again.")
        planned = await _plan(block, batch, layout, places)
        changes = [each.change for each in planned if each.change is not None]
        await store_changes(block, changes, places)
        if not is_rehearsal:
            await transaction.commit()
    notes = sorted((*batch.notes, *(note for each in planned for note in each.notes)), key=lambda note: note.line)
    return _summary(batch.rows, changes, notes), notes


async def _plan(block: Block, batch: Batch, layout: Layout, places: Market) -> list[Planned]:
    known = await _known(block, batch.drafts, places)
    slugs = _slugs(batch.drafts, known)
    owners = await _owners(block, batch.drafts)
    by_slug = {family.product.slug: family for family in known}
    planned: list[Planned] = []
    for draft in batch.drafts:
        slug = slugs[draft.key]
        each = plan(draft, by_slug.get(slug), slug=slug, owners=owners, describes_variants=layout.has_variants)
        if each.change is not None:
            owners.update((variant.after.sku, slug) for variant in each.change.variants if variant.after.sku)
        planned.append(each)
    return planned


async def _known(block: Block, drafts: Sequence[Draft], places: Market) -> list[Family]:
    """Read what the shop has of the products, and keep it from changing until the block ends."""
    slugs = sorted({slug for draft in drafts for slug in _candidates(draft)})
    rows = await block.fetch(transfers.products_to_change, slugs=slugs)
    ids = [row.id for row in rows]
    await block.fetch(transfers.stock_to_change, products=ids, warehouse=places.warehouse_id)
    return await families(block.fetch, rows, places)


def _candidates(draft: Draft) -> Iterator[str]:
    return candidates(draft.key)


def _slugs(drafts: Sequence[Draft], known: Sequence[Family]) -> Mapping[str, str]:
    """Return the slug of each handle: that of its product, or else one that is free.

    Two handles may make the same slug; a product therefore remembers the handle that it came with.
    """
    found = {_handle(family.product): family.product.slug for family in known}
    taken = {family.product.slug for family in known}
    for draft in drafts:
        if draft.key not in found:
            found[draft.key] = free_slug(draft.key, taken)
            taken.add(found[draft.key])
    return found


def _handle(product: Product) -> str:
    return product.extras.get(c.HANDLE, product.slug).lower()


async def _owners(block: Block, drafts: Sequence[Draft]) -> dict[str, str]:
    """Return the slugs of the products that have the SKUs."""
    skus = {cells.sku for draft in drafts for cells in draft.variants if isinstance(cells.sku, str)}
    rows = await block.fetch(transfers.variants_by_sku, skus=sorted(skus))
    return {row.sku: row.slug for row in rows}


def _summary(rows: int, changes: Sequence[Change], notes: Sequence[Note]) -> Summary:
    variants = list(itertools.chain.from_iterable(change.variants for change in changes))
    images = list(itertools.chain.from_iterable(change.images for change in changes))
    refused = sum(note.is_refusal for note in notes)
    return Summary(
        rows=rows,
        products=_count((change.before is None, change.is_any) for change in changes),
        variants=_count((change.before is None, change.is_any) for change in variants),
        images=_count((change.before is None, change.is_any) for change in images),
        refused=refused,
        corrected=len(notes) - refused,
    )


def _count(changes: Iterable[tuple[bool, bool]]) -> Count:
    listed = list(changes)
    created = sum(is_new for is_new, _ in listed)
    updated = sum(is_any for is_new, is_any in listed if not is_new)
    return Count(created, updated, len(listed) - created - updated)
