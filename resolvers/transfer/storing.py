"""Stores what an import changes, in a few statements a batch."""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

import orjson

from core.ids import new_id
from core.writing import Transaction
from models import transfers
from resolvers import derived
from resolvers.transfer.changes import Change, VariantChange
from resolvers.transfer.references import References, referred
from resolvers.transfer.state import Market, Product, Variant


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Runs statements within a write block."""

    transaction: Transaction

    async def fetch(self, statement: Any, **values: Any) -> Sequence[Any]:
        """Run a statement and return its rows."""
        return await self.transaction.execute(statement, values)

    async def store(self, statement: Any, rows: Sequence[Any], /) -> None:
        """Run a statement that stores rows; do nothing where there are none."""
        if rows:
            # The driver's own kind of UUID is strange to orjson.
            await self.transaction.execute(statement, {"rows": orjson.dumps(rows, default=str).decode()})

    async def run(self, statement: Any, **values: Any) -> None:
        """Run a statement."""
        await self.transaction.execute(statement, values)


async def store_changes(block: Block, changes: Sequence[Change], market: Market) -> None:
    """Store all that changes."""
    changes = [change for change in changes if change.is_any]
    if not changes:
        return
    variants = [variant for change in changes for variant in change.variants if variant.is_any]
    images = [image for change in changes for image in change.images if image.is_any]
    await block.run(transfers.plan_once)
    references = await referred(block.fetch, block.store, changes)
    own = [change.after for change in changes if change.is_own]
    await block.store(transfers.store_products, [_product_row(product, references, market) for product in own])
    # A SKU that moves to another variant is free by then: its holder's row came before, or the other was refused.
    await block.store(transfers.store_variants, [_variant_row(variant.after) for variant in variants if variant.is_own])
    await _store_options(block, changes, references)
    await block.store(transfers.store_listings, _listing_rows(variants, market))
    await _store_stock(block, variants, market)
    await block.store(transfers.store_images, [image.after for image in images])
    await block.run(transfers.plan_anew)
    await derived.refresh(block.transaction, [change.after.id for change in changes])


def _product_row(product: Product, references: References, market: Market) -> dict[str, Any]:
    category = product.category and tuple(name.casefold() for name in product.category)
    return {
        "id": product.id,
        "slug": product.slug,
        "name": product.name,
        "description": product.description,
        "vendor": product.vendor,
        "tags": product.tags,
        "status": product.status,
        "seo_title": product.seo_title,
        "seo_description": product.seo_description,
        "product_type_id": references.types[product.type_name.casefold()] if product.type_name else None,
        "category_id": references.categories[category] if category else None,
        "metadata": {transfers.CSV_METADATA: product.extras} if product.extras else {},
        "search_config": market.search_config,
    }


def _variant_row(variant: Variant) -> dict[str, Any]:
    return {
        "id": variant.id,
        "product_id": variant.product_id,
        "sku": variant.sku,
        "name": variant.name,
        "barcode": variant.barcode,
        "weight_g": variant.weight_g,
        "position": variant.position,
        "track_inventory": variant.track_inventory,
        "backorder_limit": variant.backorder_limit,
        "metadata": {transfers.CSV_METADATA: variant.extras} if variant.extras else {},
    }


def _listing_rows(variants: Sequence[VariantChange], market: Market) -> list[dict[str, Any]]:
    return [
        {
            "id": price.listing_id,
            "channel_id": market.channel_id,
            "variant_id": change.after.id,
            "price_minor": price.price_minor,
            "compare_at_minor": price.compare_at_minor,
            "cost_minor": price.cost_minor,
            "is_published": price.is_published,
        }
        for change in variants
        if change.has_price and (price := change.after.price) is not None
    ]


async def _store_options(block: Block, changes: Sequence[Change], references: References) -> None:
    chosen = [(change.after, variant) for change in changes for variant in change.variants if variant.has_options]
    again = [variant.before.id for _, variant in chosen if variant.before and variant.before.options]
    if again:
        await block.run(transfers.forget_options, variants=again)
    rows: list[dict[str, Any]] = []
    types: set[tuple[uuid.UUID, uuid.UUID, int]] = set()
    for product, variant in chosen:
        type_id = references.types.get((product.type_name or "").casefold())
        for position, (name, value) in enumerate(variant.after.options, 1):
            attribute_id = references.attributes[name.casefold()]
            rows.append(
                {
                    "id": new_id(),
                    "product_id": product.id,
                    "variant_id": variant.after.id,
                    "attribute_id": attribute_id,
                    "value_id": references.values[attribute_id, value.casefold()],
                    "position": position,
                }
            )
            if type_id is not None:
                types.add((type_id, attribute_id, position))
    await block.store(transfers.store_options, rows)
    await block.store(
        transfers.store_type_attributes,
        [
            {"product_type_id": type_id, "attribute_id": attribute_id, "position": position}
            for type_id, attribute_id, position in sorted(types)
        ],
    )


async def _store_stock(block: Block, variants: Sequence[VariantChange], market: Market) -> None:
    stocked = [(change.after.id, change.after.stock) for change in variants if change.has_stock and change.after.stock]
    if not stocked:
        return
    warehouse_id = await _warehouse(block, market)
    rows = [
        {
            "variant_id": variant_id,
            "warehouse_id": warehouse_id,
            "on_hand": stock.on_hand,
            "backorder_limit": stock.backorder_limit,
        }
        for variant_id, stock in stocked
    ]
    await block.store(transfers.store_stock, rows)


async def _warehouse(block: Block, market: Market) -> uuid.UUID:
    """Return the warehouse that stock goes to; a shop without one gets one, and its channel sells from it."""
    found = await block.fetch(transfers.first_warehouse, channel=market.channel_id)
    if found:
        warehouse_id: uuid.UUID = found[0].id
        if found[0].is_linked:
            return warehouse_id
    else:
        warehouse_id = new_id()
        await block.run(transfers.make_warehouse, id=warehouse_id)
    await block.run(transfers.link_warehouse, channel=market.channel_id, warehouse=warehouse_id)
    return warehouse_id
