"""What each subscription hears, and who may hear of it."""

import uuid
from collections.abc import Hashable, Sequence
from datetime import datetime

from core.errors import BadUserInput, Forbidden, Unauthenticated
from core.ids import decode_id_of
from core.statements import Row
from loaders import catalogue as relations
from models import outbox, sightings
from models.base import Statement
from models.scopes import Scope
from resolvers.context import Actor, ActorKind, Context, Permission
from resolvers.feeds import Event
from resolvers.live import Payload, Source, Topic, product_of

FIGURES = frozenset({outbox.STOCK_CHANGED, outbox.PRICE_CHANGED})
"""Types of events that are about figures of a variant."""

MOST_IDS = 250
"""Ids of one subscription, as of any list in the input."""


def stock(context: Context, scope: Scope, ids: Sequence[str] | None, after: int | None) -> Source:
    """Return the source of changes of stock: of all warehouses for who may see them, else of the channel's."""

    async def look(opened: Context, events: Sequence[Event]) -> Sequence[bool]:
        variants = [event.aggregate_id for event in events]
        if sees_all:
            rows = await opened.loaders.load_list(relations.variant, variants, scope, {}, alone=True)
            return [row is not None for row in rows]
        warehouses = [uuid.UUID(event.payload["warehouseId"]) for event in events]
        found = {
            row.id for row in await _find(opened, scope, sightings.stock_heard_of(scope.shape), variants + warehouses)
        }
        return [
            variant in found and warehouse in found for variant, warehouse in zip(variants, warehouses, strict=True)
        ]

    sees_all = context.actor.may(Permission.INVENTORY_READ)
    return Source(
        topic=Topic.STOCK,
        subjects=_subjects("Variant", ids, "variantIds"),
        scope=scope,
        shows="StockChanged",
        after=after,
        kinds=frozenset({sees_all}),
        look=None if sees_all and scope.drafts else look,
        relation=relations.variant,
    )


def price(scope: Scope, ids: Sequence[str] | None, after: int | None) -> Source:
    """Return the source of changes of prices in the scope's channel.

    Shoppers hear of those that sell something, or did: a price that is prepared is not to be known.
    """
    channel = str(scope.channel_id)

    def wants(event: Event) -> bool:
        if event.payload["channelId"] != channel:
            return False
        return scope.drafts or any(_sells(event.payload[each], event.created_at) for each in _STATES)

    def seen(event: Event) -> Payload:
        if scope.drafts:
            return event.payload
        kept = {
            each: event.payload[each] if _sells(event.payload[each], event.created_at) else None for each in _STATES
        }
        return {**event.payload, **kept}

    async def look(opened: Context, events: Sequence[Event]) -> Sequence[bool]:
        variants = [event.aggregate_id for event in events]
        found = {row.id for row in await _find(opened, scope, sightings.prices_heard_of(), variants)}
        return [variant in found for variant in variants]

    return Source(
        topic=Topic.PRICE,
        subjects=_subjects("Variant", ids, "variantIds"),
        scope=scope,
        shows="PriceChanged",
        after=after,
        wants=wants,
        look=None if scope.drafts else look,
        seen=seen,
        relation=relations.variant,
    )


_STATES = ("before", "after")


def _sells(listing: Payload | None, at: datetime) -> bool:
    if listing is None or not listing["isPublished"]:
        return False
    available_from = listing["availableFrom"]
    return available_from is None or datetime.fromisoformat(available_from) <= at


def product(scope: Scope, ids: Sequence[str] | None, after: int | None) -> Source:
    """Return the source of changes of products, of their variants and of their media.

    Shoppers hear of what the channel shows, and of what it showed until the change, without being shown that; not of
    what concerns the shop alone.
    """

    def wants(event: Event) -> bool:
        return scope.drafts or not event.payload.get("internal")

    async def look(opened: Context, events: Sequence[Event]) -> Sequence[bool]:
        products = [product_of(event) for event in events]
        rows = await _find(opened, scope, sightings.products_heard_of(scope.shape), products)
        found = {row.id: row.is_heard for row in rows}
        return [
            product in found and bool(found[product] or event.payload.get("wasActive"))
            for product, event in zip(products, events, strict=True)
        ]

    return Source(
        topic=Topic.PRODUCT,
        subjects=_subjects("Product", ids, "ids"),
        scope=scope,
        shows="ProductChanged",
        after=after,
        wants=wants,
        look=None if scope.drafts else look,
        relation=relations.product,
    )


async def _find(
    context: Context, scope: Scope, statement: Statement, keys: Sequence[uuid.UUID | None]
) -> Sequence[Row]:
    return await context.database.fetch(statement, alone=True, keys=list(dict.fromkeys(keys)), channel=scope.channel_id)


_PERMISSIONS = {"stock": Permission.INVENTORY_READ, "warehouse": Permission.INVENTORY_READ} | {
    "review": Permission.REVIEWS_MODERATE
}


def permission_of(event_type: str) -> Permission:
    """Return what it takes to hear of all events of a type."""
    return _PERMISSIONS.get(event_type.partition(".")[0], Permission.CATALOGUE_READ)


def events(context: Context, types: Sequence[str] | None, after: int | None) -> Source:
    """Return the source of all events of these types; of those that the actor may hear of where none are named.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: The actor may not hear of one of them, or of none.
    """
    actor = context.actor
    heard = frozenset(each for each in outbox.TYPES if actor.may(permission_of(each)))
    if types is not None:
        for each in types:
            actor.require(permission_of(each))
        heard = frozenset(types)
    elif not heard:
        _refuse(actor)
    return Source(
        topic=Topic.EVENTS,
        subjects=frozenset(heard),
        scope=context.default_scope(),
        shows="ShopEvent",
        after=after,
    )


def _refuse(actor: Actor) -> None:
    if actor.kind is ActorKind.ANONYMOUS:
        raise Unauthenticated("Sign in to do this.")
    raise Forbidden("Events are for staff and keys with the permission to read what they are about.")


def _subjects(type_name: str, ids: Sequence[str] | None, argument: str) -> frozenset[Hashable] | None:
    """Return what ids name; one that names nothing, or something of another type, is merely never heard of."""
    if ids is None:
        return None
    if len(ids) > MOST_IDS:
        raise BadUserInput(f"Name at most {MOST_IDS} ids.", argument=argument)
    return frozenset(row_id for each in ids if (row_id := decode_id_of(type_name, each)) is not None)
