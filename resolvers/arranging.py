"""How things are put together: collections, relations, attributes of products, order, translations."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.ids import decode_global_id, decode_id_of, new_id
from core.writing import Transaction
from models import arrangements, writes
from models.attributes import Attribute, AttributeAssignment, AttributeValue, ProductType, ProductTypeAttribute
from models.base import Entity, Tenant
from models.categories import Category
from models.collections import Collection, CollectionProduct
from models.inventory import ChannelWarehouse, Warehouse
from models.products import Media, Product, ProductRelation, Variant
from models.shops import Channel
from resolvers.blocks import MOST_IN_BULK, Work, alone
from resolvers.context import Context
from resolvers.refusals import Outcome, Refused, camel, invalid, not_found, too_many
from resolvers.texts import check_text

MOST_RELATED = 50
MOST_ATTRIBUTES = 100
MOST_WAREHOUSES = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Assignment:
    """What a product or variant has of an attribute: exactly one of the values, by the attribute's kind.

    Attributes:
        attribute_id: Global id of the attribute.
        value_ids: Global ids of its values.
        text: Of TEXT.
        number: Of NUMERIC.
        boolean: Of BOOLEAN.
        date: Of DATE.
    """

    attribute_id: str
    value_ids: Sequence[str] | None = None
    text: str | None = None
    number: Decimal | None = None
    boolean: bool | None = None
    date: dt.date | None = None


_COLUMNS = {"TEXT": "text", "NUMERIC": "number", "BOOLEAN": "boolean", "DATE": "date"}
"""Which field of an assignment suits an attribute's kind; every other kind has values to choose from."""


async def relate(context: Context, product_id: str, kind: str, related_ids: Sequence[str]) -> Outcome:
    """Replace the products that are shown beside a product, in order."""

    async def run(transaction: Transaction) -> uuid.UUID:
        own = await _locked(context, transaction, Product, product_id)
        related = await _products(context, transaction, related_ids, at_most=MOST_RELATED)
        if own in related:
            raise Refused(invalid("A product is not related to itself.", "productIds"))
        rows = [{"related_id": each, "position": number} for number, each in enumerate(related)]
        within = {"product_id": own, "kind": kind}
        await _execute(transaction, arrangements.rows_replaced(ProductRelation, context.shop.id, within, rows))
        return own

    return await alone(context, Work(run, ProductRelation))


async def add_to_collection(context: Context, collection_id: str, product_ids: Sequence[str]) -> Outcome:
    """Put products at the end of a hand-picked collection."""

    async def run(transaction: Transaction) -> uuid.UUID:
        own = await _locked(context, transaction, Collection, collection_id)
        await _manual_collection(context, transaction, own)
        found = await _products(context, transaction, product_ids)
        members = await transaction.execute(writes.siblings(CollectionProduct, context.shop.id, collection_id=own))
        if found:
            await transaction.execute(arrangements.members_added(context.shop.id, own, found, members.one().last + 1))
        return own

    return await alone(context, Work(run, CollectionProduct))


async def remove_from_collection(context: Context, collection_id: str, product_ids: Sequence[str]) -> Outcome:
    """Take products out of a hand-picked collection."""

    async def run(transaction: Transaction) -> uuid.UUID:
        own = await _locked(context, transaction, Collection, collection_id)
        await _manual_collection(context, transaction, own)
        found = await _products(context, transaction, product_ids)
        await transaction.execute(arrangements.members_removed(context.shop.id, own, found))
        return own

    return await alone(context, Work(run, CollectionProduct))


@dataclasses.dataclass(frozen=True, slots=True)
class Sequenced:
    """Rows that have an order within a parent.

    Attributes:
        parent: Table of the parent.
        entity: Table of the rows.
        parent_column: Column of the rows that names the parent.
        column: Column of the rows that clients order by.
        type_name: Of the global ids in that column.
    """

    parent: type[Entity]
    entity: type[Tenant]
    parent_column: str
    column: str
    type_name: str


VARIANTS = Sequenced(Product, Variant, "product_id", "id", "Variant")
MEDIA = Sequenced(Product, Media, "product_id", "id", "Media")
COLLECTION = Sequenced(Collection, CollectionProduct, "collection_id", "product_id", "Product")
CATEGORIES = Sequenced(Category, Category, "parent_id", "id", "Category")
VALUES = Sequenced(Attribute, AttributeValue, "attribute_id", "id", "AttributeValue")


async def reorder(context: Context, what: Sequenced, parent_id: str | None, ids: Sequence[str]) -> Outcome:
    """Put rows of a parent in the order of `ids`; the others follow as they were.

    Args:
        context: Of the operation.
        what: Which rows.
        parent_id: Global id; None for rows at the top of a tree.
        ids: Global ids.
    """

    async def run(transaction: Transaction) -> uuid.UUID | None:
        own = None if parent_id is None else await _locked(context, transaction, what.parent, parent_id)
        if what is COLLECTION and own is not None:
            await _manual_collection(context, transaction, own)
        wanted = _decoded(what.type_name, ids, "ids")
        within = {what.parent_column: own}
        done = await transaction.execute(
            arrangements.reordered(what.entity, context.shop.id, within, what.column, wanted)
        )
        if not set(wanted) <= set(done.scalars()):
            raise Refused(not_found("ids"))
        return own

    return await alone(context, Work(run, what.entity))


async def set_warehouses_of_channel(context: Context, channel_id: str, warehouse_ids: Sequence[str]) -> Outcome:
    """Replace the warehouses that a channel sells from, the first one first."""

    async def run(transaction: Transaction) -> uuid.UUID:
        own = await _locked(context, transaction, Channel, channel_id)
        wanted = _decoded("Warehouse", warehouse_ids, "warehouseIds", at_most=MOST_WAREHOUSES)
        found = await transaction.execute(writes.rows_with(Warehouse, context.shop.id, wanted))
        if set(found.scalars()) != set(wanted):
            raise Refused(not_found("warehouseIds"))
        rows = [{"warehouse_id": each, "priority": number} for number, each in enumerate(wanted)]
        within = {"channel_id": own}
        await _execute(transaction, arrangements.rows_replaced(ChannelWarehouse, context.shop.id, within, rows))
        return own

    return await alone(context, Work(run, ChannelWarehouse))


async def set_attributes_of_type(context: Context, product_type_id: str, attribute_ids: Sequence[str]) -> Outcome:
    """Replace the attributes of a product type, in order."""

    async def run(transaction: Transaction) -> uuid.UUID:
        own = await _locked(context, transaction, ProductType, product_type_id)
        wanted = _decoded("Attribute", attribute_ids, "attributeIds", at_most=MOST_ATTRIBUTES)
        found = await transaction.execute(writes.rows_with(Attribute, context.shop.id, wanted))
        if set(found.scalars()) != set(wanted):
            raise Refused(not_found("attributeIds"))
        rows = [{"attribute_id": each, "position": number} for number, each in enumerate(wanted)]
        within = {"product_type_id": own}
        await _execute(transaction, arrangements.rows_replaced(ProductTypeAttribute, context.shop.id, within, rows))
        return own

    return await alone(context, Work(run, ProductTypeAttribute))


async def assign(context: Context, owner: str, owner_id: str, assignments: Sequence[Assignment]) -> Outcome:
    """Replace what a product or variant has of the attributes named; of the others it keeps what it has.

    Args:
        context: Of the operation.
        owner: Product or Variant.
        owner_id: Its global id.
        assignments: At most `MOST_ATTRIBUTES`.
    """

    async def run(transaction: Transaction) -> uuid.UUID:
        entity = Product if owner == "Product" else Variant
        own = await _locked(context, transaction, entity, owner_id)
        of_variant, product_id = None, own
        if entity is Variant:
            found = await transaction.execute(writes.product_of_variant(context.shop.id, own))
            of_variant, product_id = own, found.scalar_one()
        if len(assignments) > MOST_ATTRIBUTES:
            raise Refused(too_many(MOST_ATTRIBUTES, "attributes"))
        for number, assignment in enumerate(assignments):
            attribute_id, rows = await _assigned(context, transaction, assignment, number)
            within = {"product_id": product_id, "variant_id": of_variant, "attribute_id": attribute_id}
            await _execute(transaction, arrangements.rows_replaced(AttributeAssignment, context.shop.id, within, rows))
        return own

    return await alone(context, Work(run, AttributeAssignment))


async def _assigned(
    context: Context, transaction: Transaction, assignment: Assignment, number: int
) -> tuple[uuid.UUID, Sequence[Mapping[str, Any]]]:
    """Return the attribute's id and the rows that an assignment means."""
    path = ("attributes", str(number))
    attribute_id = decode_id_of("Attribute", assignment.attribute_id)
    found = attribute_id and await transaction.execute(writes.row(Attribute, context.shop.id, attribute_id))
    attribute = found.one_or_none() if found else None
    if attribute is None or attribute_id is None:
        raise Refused(not_found(*path, "attributeId"))
    wanted = _COLUMNS.get(attribute.kind, "value_ids")
    for name in ("value_ids", *_COLUMNS.values()):
        if name != wanted and getattr(assignment, name) is not None:
            message = f"{attribute.slug} is of the kind {attribute.kind}, whose value is given as {camel(wanted)}."
            raise Refused(invalid(message, *path, camel(name)))
    value = getattr(assignment, wanted)
    if value is None:
        return attribute_id, []
    if wanted != "value_ids":
        _check_value(value, *path, wanted)
        return attribute_id, [{"id": new_id(), f"{wanted}_value": value, "position": attribute.position}]
    values = _decoded("AttributeValue", value, *path, "valueIds")
    if len(values) > 1 and attribute.kind != "MULTISELECT":
        raise Refused(invalid(f"{attribute.slug} takes one value.", *path, "valueIds"))
    found = await transaction.execute(
        writes.rows_with(AttributeValue, context.shop.id, values, attribute_id=attribute_id)
    )
    if set(found.scalars()) != set(values):
        raise Refused(not_found(*path, "valueIds"))
    return attribute_id, [{"id": new_id(), "value_id": each, "position": attribute.position} for each in values]


_MOST_DIGITS, _MOST_DECIMALS = 15, 9
"""Of numbers: far more than any measure has, and no more than a filter can be asked for."""


def _check_value(value: object, *path: str) -> None:
    if isinstance(value, str):
        check_text("text_value", value, *path)
    if isinstance(value, Decimal):
        is_fine = value.is_finite() and abs(value) < 10**_MOST_DIGITS
        if not is_fine or value != round(value, _MOST_DECIMALS):
            message = f"A number has at most {_MOST_DIGITS} digits before its point and {_MOST_DECIMALS} behind it."
            raise Refused(invalid(message, *path))


async def _manual_collection(context: Context, transaction: Transaction, own: uuid.UUID) -> None:
    """Refuse a collection, whose row is locked, that its rule fills."""
    row = (await transaction.execute(writes.row(Collection, context.shop.id, own))).one()
    if row.kind != "MANUAL":
        raise Refused(invalid("The rule decides what is in this collection.", "id"))


async def _locked(context: Context, transaction: Transaction, entity: type[Entity], global_id: str) -> uuid.UUID:
    """Return the id of a row, which is locked until the block ends."""
    decoded = decode_global_id(global_id)
    own = decoded[1] if decoded and decoded[0] == entity.__name__ else None
    if own is not None:
        found = await transaction.execute(writes.row(entity, context.shop.id, own, locked=True))
        if found.first() is not None:
            return own
    raise Refused(not_found("id"))


async def _products(
    context: Context, transaction: Transaction, ids: Sequence[str], *, at_most: int = MOST_IN_BULK
) -> list[uuid.UUID]:
    wanted = _decoded("Product", ids, "productIds", at_most=at_most)
    found = set((await transaction.execute(writes.rows_with(Product, context.shop.id, wanted))).scalars())
    if found != set(wanted):
        raise Refused(not_found("productIds"))
    return wanted


def _decoded(type_name: str, ids: Sequence[str], *path: str, at_most: int = MOST_IN_BULK) -> list[uuid.UUID]:
    """Return the uuids of ids of a type, each once and in order."""
    if len(ids) > at_most:
        raise Refused(too_many(at_most, *path))
    decoded = [decode_id_of(type_name, each) for each in ids]
    wanted = [each for each in decoded if each is not None]
    if len(wanted) < len(decoded):
        raise Refused(not_found(*path))
    return list(dict.fromkeys(wanted))


async def _execute(transaction: Transaction, statements: Sequence[Any]) -> None:
    for statement in statements:
        await transaction.execute(statement)
