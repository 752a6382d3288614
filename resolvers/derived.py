"""What follows from products: their listings by channel, and the rule collections that they are in."""

import uuid
from collections.abc import Sequence

from core.writing import Transaction
from models.collections import refresh_rules_of_products
from models.listings import delist_deleted, lock_products, refresh_product_listings


async def refresh(transaction: Transaction, products: Sequence[uuid.UUID]) -> None:
    """Derive everything that listings show of these products again; the end of every block that touches it."""
    if not products:
        return
    values = {"products": list(products)}
    await transaction.execute(lock_products, values)
    await transaction.execute(refresh_product_listings, values)
    await transaction.execute(delist_deleted, values)
    await transaction.execute(refresh_rules_of_products, values)
