"""Stock as staff count it."""

import dataclasses
import uuid

from core.ids import decode_id_of
from core.writing import Transaction
from models import writes
from models.base import Entity
from models.inventory import StockLevel, Warehouse
from models.products import Variant
from resolvers.blocks import Work
from resolvers.context import Context
from resolvers.refusals import Refused, conflict, input_path, invalid, not_found


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


def counting(context: Context, count: Count, expected: int) -> Work:
    """Return the work of setting what a warehouse has of a variant.

    Args:
        context: Of the operation.
        count: What was counted.
        expected: Version of the stock row as read; 0 where there was none.

    Returns:
        Work whose id is the variant's.
    """

    async def run(transaction: Transaction) -> uuid.UUID:
        values = {"on_hand": count.on_hand} | ({} if count.safety is None else {"safety": count.safety})
        for name, pieces in values.items():
            if pieces < 0:
                raise Refused(invalid("There are 0 pieces at least.", *input_path(name)))
        variant_id = await _existing(context, transaction, Variant, count.variant_id)
        place = {
            "variant_id": variant_id,
            "warehouse_id": await _existing(context, transaction, Warehouse, count.warehouse_id),
        }
        written = await transaction.execute(writes.stock_set(context.shop.id, place, values, expected))
        if written.first() is None:
            current = await transaction.execute(writes.stock_version(context.shop.id, place))
            raise Refused(conflict(current.scalar() or 0))
        return variant_id

    return Work(run, StockLevel, order=f"{count.variant_id} {count.warehouse_id}")


async def _existing(context: Context, transaction: Transaction, entity: type[Entity], global_id: str) -> uuid.UUID:
    row_id = decode_id_of(entity.__name__, global_id)
    if row_id is not None and (await transaction.execute(writes.row(entity, context.shop.id, row_id))).first():
        return row_id
    raise Refused(not_found(*input_path(f"{entity.__tablename__}_id")))
