"""Objects by their global id."""

import asyncio
from collections.abc import Sequence

from core.errors import BadUserInput
from core.ids import decode_global_id
from core.statements import Row
from loaders import catalogue
from loaders.carrying import Carried, read_one
from models.scopes import Scope
from resolvers.context import Context, Permission

MOST_NODES = 250
"""Ids of one `nodes` field, as of any list in the input."""

_RELATIONS = {
    "Attribute": (catalogue.attribute, None),
    "AttributeValue": (catalogue.attribute_value, None),
    "Category": (catalogue.category, None),
    "Channel": (catalogue.channel, None),
    "Collection": (catalogue.collection, None),
    "Listing": (catalogue.listing, Permission.CATALOGUE_READ),
    "Media": (catalogue.media, None),
    "Product": (catalogue.product, None),
    "ProductType": (catalogue.product_type, None),
    "Review": (catalogue.review, None),
    "Variant": (catalogue.variant, None),
    "Warehouse": (catalogue.warehouse, Permission.INVENTORY_READ),
}
"""How each type is read by id, and what the actor needs to see it."""


async def node(
    context: Context, scope: Scope, global_id: str, *, of: str | None = None, carried: Carried | None = None
) -> Row | None:
    """Return the object with this id.

    Args:
        context: Of the operation.
        scope: What is seen.
        global_id: From a client.
        of: The only type that will do; any where it is None.
        carried: What to bring of it; it is left alone where the type is not known.

    Returns:
        The row; None for an id that is malformed, of another type, of another shop, or not to be seen: nobody can
        tell these apart.
    """
    decoded = decode_global_id(global_id)
    if decoded is None or (of is not None and decoded[0] != of) or decoded[0] not in _RELATIONS:
        return None
    relation, permission = _RELATIONS[decoded[0]]
    if permission is not None and not context.actor.may(permission):
        return None
    if carried is not None and of is not None:
        return await read_one(context.database, relation, decoded[1], scope, carried)
    found: Row | None = await context.loaders.load(relation, decoded[1], scope, {})
    return found


async def nodes(context: Context, scope: Scope, global_ids: Sequence[str]) -> Sequence[Row | None]:
    """Return the objects with these ids in their order, None where `node` gives it.

    Raises:
        BadUserInput: There are more than `MOST_NODES`.
    """
    if len(global_ids) > MOST_NODES:
        raise BadUserInput(f"Ask for at most {MOST_NODES} ids.", argument="ids")
    return await asyncio.gather(*(node(context, scope, each) for each in global_ids))
