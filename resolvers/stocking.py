"""Stock as staff count it."""

import dataclasses
import uuid

from core.database import Transaction
from core.ids import decode_id_of
from models import writes
from models.inventory import StockLevel, Warehouse
from models.products import Variant
from resolvers.context import Context
from resolvers.refusals import Outcome, Refused, conflict, input_path, not_found
from resolvers.writing import Work, applied


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """What lies in a warehouse.

    Attributes:
        variant_id: Global id.
        warehouse_id: Global id.
        on_hand: Pieces.
        safety: Pieces that are not sold; as before where it is None.
    """

    variant_id: str
    warehouse_id: str
    on_hand: int
    safety: int | None = None


async def set_stock(context: Context, count: Count, expected_version: int) -> Outcome:
    """Set what a warehouse has of a variant.

    Args:
        context: Of the operation.
        count: What was counted.
        expected_version: Of the stock row as read; 0 where there was none.

    Returns:
        The outcome, whose id is the variant's.
    """

    async def run(transaction: Transaction) -> uuid.UUID:
        shop_id = context.shop.id
        variant_id = decode_id_of("Variant", count.variant_id)
        warehouse_id = decode_id_of("Warehouse", count.warehouse_id)
        if variant_id is None or (await transaction.execute(writes.row(Variant, shop_id, variant_id))).first() is None:
            raise Refused(not_found(*input_path("variant_id")))
        if (
            warehouse_id is None
            or (await transaction.execute(writes.row(Warehouse, shop_id, warehouse_id))).first() is None
        ):
            raise Refused(not_found(*input_path("warehouse_id")))
        place = {"variant_id": variant_id, "warehouse_id": warehouse_id}
        values = {"on_hand": count.on_hand} | ({} if count.safety is None else {"safety": count.safety})
        found = (await transaction.execute(writes.stock_level(shop_id, **place))).one_or_none()
        if (found.version if found else 0) != expected_version:
            raise Refused(conflict(found.version if found else 0))
        if found is None:
            await transaction.execute(writes.inserted(StockLevel, shop_id, {**place, **values}))
        else:
            await transaction.execute(writes.stock_updated(shop_id, place, values))
        return variant_id

    return await applied(context, Work(run), table="stock_level")
