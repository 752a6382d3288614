"""What is special about writing each kind of row of the catalogue."""

import uuid
from typing import Any

from core.money import EXPONENTS, minor_units
from models import writes
from models.attributes import Attribute, AttributeValue, ProductType
from models.base import Entity
from models.categories import DEEPEST_CATEGORY, Category
from models.collections import Collection, refresh_rule_of_collection, refresh_rules
from models.inventory import ChannelWarehouse, Warehouse
from models.listings import Listing, refresh_channel_listings
from models.products import Media, Product, Review, Variant
from models.search import search_config
from models.shops import Channel
from resolvers.context import Permission
from resolvers.refusals import ErrorCode, Refusal, Refused, in_use, input_path, invalid, not_found, required, too_many
from resolvers.rules import check_rule
from resolvers.writing import Draft, Writable

MOST_CHANNELS = 50
MOST_VARIANTS = 2_000
MOST_MEDIA = 250

CHOSEN_KINDS = ("DROPDOWN", "MULTISELECT", "SWATCH", "REFERENCE")
"""Kinds of attributes whose values are rows to choose from."""

_PATH_STEP = 33
"""Characters that a level adds to a category's path: 32 hexadecimal digits and a slash."""

_FIRST_YEAR, _LAST_YEAR = 1970, 9000
"""Of instants: far from where converting between time zones leaves the calendar."""


async def _channel(draft: Draft) -> None:
    await _one_at_a_time(draft, "channels")
    currency = draft.values.get("currency")
    if currency is not None and currency not in EXPONENTS:
        raise Refused(invalid("A currency is an ISO 4217 code such as EUR.", *input_path("currency")))
    if draft.before is None:
        await _siblings(draft, Channel, MOST_CHANNELS)
    else:
        await _check_channel_change(draft, currency)
    if draft.values.get("is_default"):
        await draft.transaction.execute(writes.other_channels_demoted(draft.context.shop.id, draft.id))


async def _check_channel_change(draft: Draft, currency: str | None) -> None:
    if currency not in (None, draft.before.currency):
        found = await draft.transaction.execute(writes.exists_with(Listing, draft.context.shop.id, channel_id=draft.id))
        if found.first() is not None:
            message = "Prices of this channel are in its currency; delete them, or make another channel."
            raise Refused(Refusal(ErrorCode.IN_USE, message, input_path("currency")))
    if draft.before.is_default and draft.values.get("is_default") is False:
        message = "A shop has one default channel; make another one the default instead."
        raise Refused(invalid(message, *input_path("is_default")))


async def _after_channel(draft: Draft) -> None:
    """Give a new channel a listing of every product and the warehouses, and rules the prices that they are about."""
    shop_id = draft.context.shop.id
    if draft.before is None:
        await draft.transaction.execute(refresh_channel_listings, {"channel": draft.id})
        for warehouse_id in (await draft.transaction.execute(writes.warehouses(shop_id))).scalars():
            values = {"channel_id": draft.id, "warehouse_id": warehouse_id}
            await draft.transaction.execute(writes.inserted(ChannelWarehouse, shop_id, values))
    if draft.values.get("is_default"):
        await _refresh_rules(draft)


async def _keep_default_channel(draft: Draft) -> None:
    if draft.before.is_default:
        raise Refused(in_use("This is the default channel; make another one it first."))


async def _product(draft: Draft) -> None:
    if draft.before is None:
        draft.values["search_config"] = search_config(draft.context.shop.default_locale)
    if "tags" in draft.values:
        draft.values["tags"] = list(dict.fromkeys(draft.values["tags"]))


async def _after_product(draft: Draft) -> None:
    """Let variants go with their product, so that their SKUs are free, and come back with it."""
    if "deleted_at" in draft.values:
        marks = {"before": draft.before.deleted_at, "now": draft.values["deleted_at"]}
        await draft.transaction.execute(writes.variants_marked(draft.context.shop.id, draft.id, **marks))


async def _variant(draft: Draft) -> None:
    await _at_the_end(draft, Variant, "product_id", MOST_VARIANTS)


async def _media(draft: Draft) -> None:
    variant_id = draft.values.get("variant_id")
    if variant_id is not None:
        statement = writes.row(Variant, draft.context.shop.id, variant_id)
        variant = (await draft.transaction.execute(statement)).one_or_none()
        if variant is None or variant.product_id != draft.parent.id:
            raise Refused(not_found(*input_path("variant_id")))
    await _at_the_end(draft, Media, "product_id", MOST_MEDIA)


_AMOUNTS = {"price": "price_minor", "compare_at_price": "compare_at_minor", "cost": "cost_minor"}


async def _listing(draft: Draft) -> None:
    """Turn amounts into minor units of the channel's currency."""
    channel_id = draft.values["channel_id"] if draft.before is None else draft.before.channel_id
    found = await draft.transaction.execute(writes.row(Channel, draft.context.shop.id, channel_id))
    channel = found.one_or_none()
    if channel is None:
        raise Refused(not_found(*input_path("channel_id")))
    for name, column in _AMOUNTS.items():
        if name in draft.values:
            draft.values[column] = _minor(draft.values.pop(name), channel.currency, name)
    instant = draft.values.get("available_from")
    if instant is not None and (instant.tzinfo is None or not _FIRST_YEAR <= instant.year <= _LAST_YEAR):
        message = f"An instant has an offset such as Z or +02:00, and a year from {_FIRST_YEAR} to {_LAST_YEAR}."
        raise Refused(invalid(message, *input_path("available_from")))


def _minor(amount: str | None, currency: str, name: str) -> int | None:
    if amount is None:
        if name == "price":
            raise Refused(required(*input_path(name)))
        return None
    minor = minor_units(amount, currency)
    if minor is None:
        message = f"This is no amount of {currency}, which has {EXPONENTS[currency]} decimals."
        raise Refused(invalid(message, *input_path(name)))
    return minor


async def _category(draft: Draft) -> None:
    """Keep the path in step with the parent, and the tree a tree."""
    is_new = draft.before is None
    if not is_new and draft.values.get("parent_id", draft.before.parent_id) == draft.before.parent_id:
        return
    # A subtree that moves must not miss what another block puts into it.
    await _one_at_a_time(draft, "categories")
    new = await _path_below(draft, draft.values.get("parent_id")) + f"{draft.id.hex}/"
    if is_new:
        draft.values["path"] = new
        await _at_the_end(draft, Category, "parent_id")
        return
    old = draft.before.path
    if new.startswith(old):
        raise Refused(invalid("A category cannot lie below itself.", *input_path("parent_id")))
    deepest = (await draft.transaction.execute(writes.deepest_below, {"old": old})).scalar_one()
    _check_depth(deepest - len(old) + len(new))
    await draft.transaction.execute(writes.subtree_moved, {"old": old, "new": new})


async def _path_below(draft: Draft, parent_id: uuid.UUID | None) -> str:
    if parent_id is None:
        return ""
    statement = writes.row(Category, draft.context.shop.id, parent_id, locked=True)
    parent = (await draft.transaction.execute(statement)).one_or_none()
    if parent is None:
        raise Refused(not_found(*input_path("parent_id")))
    _check_depth(len(parent.path) + _PATH_STEP)
    return str(parent.path)


def _check_depth(length: int) -> None:
    if length > _PATH_STEP * DEEPEST_CATEGORY:
        raise Refused(invalid(f"The tree has at most {DEEPEST_CATEGORY} levels.", *input_path("parent_id")))


async def _after_category(draft: Draft) -> None:
    """Rules about a category are about all below it: what moves or goes changes them."""
    is_deleted = not draft.values
    if draft.before is not None and (is_deleted or "parent_id" in draft.values):
        await _refresh_rules(draft)


async def _collection(draft: Draft) -> None:
    rule = draft.values.get("rule")
    if rule is not None:
        check_rule(rule)
        if "category" in rule:
            await _require(draft, Category, uuid.UUID(rule["category"]), "rule", "category")
    if "rule" in draft.values or draft.before is None:
        draft.values["kind"] = "MANUAL" if rule is None else "RULE"


async def _after_collection(draft: Draft) -> None:
    """Fill a collection by its rule."""
    if draft.values.get("rule") is not None:
        await _one_at_a_time(draft, "rules")
        await draft.transaction.execute(refresh_rule_of_collection, {"collection": draft.id})


async def _refresh_rules(draft: Draft) -> None:
    await _one_at_a_time(draft, "rules")
    await draft.transaction.execute(refresh_rules)


async def _attribute_value(draft: Draft) -> None:
    if draft.before is None and draft.parent.kind not in CHOSEN_KINDS:
        message = f"Attributes of the kind {draft.parent.kind} have no values to choose from."
        raise Refused(invalid(message, *input_path("attribute_id")))
    await _at_the_end(draft, AttributeValue, "attribute_id")


async def _clear_attribute(draft: Draft) -> None:
    """Delete the translations of the values, which the database deletes along with their attribute."""
    await draft.transaction.execute(writes.translations_of_values_deleted(draft.context.shop.id, draft.id))


async def _review(draft: Draft) -> None:
    """Keep those who cannot see a product from finding out, by reviewing it, that there is one."""
    if draft.before is None and not draft.context.actor.may(Permission.CATALOGUE_READ):
        shown = await draft.transaction.execute(writes.visible_listing(draft.context.shop.id, draft.parent.id))
        if shown.first() is None:
            raise Refused(not_found(*input_path("product_id")))


async def _after_review(draft: Draft) -> None:
    is_deleted = not draft.values
    if draft.before is not None and (is_deleted or "status" in draft.values):
        await draft.transaction.execute(writes.row(Product, draft.context.shop.id, draft.parent.id, locked=True))
        await draft.transaction.execute(writes.ratings_recounted, {"product": draft.parent.id})


async def _keep_stock(draft: Draft) -> None:
    if (await draft.transaction.execute(writes.stock_in(draft.context.shop.id, draft.id))).first() is not None:
        raise Refused(in_use("There is stock in this warehouse; set it to 0 first."))


async def _at_the_end(draft: Draft, entity: type[Entity], parent: str, most: int | None = None) -> None:
    """Put a new row behind its siblings where the client names no place; refuse it where they are too many."""
    if draft.before is None:
        found = await _siblings(draft, entity, most, **{parent: draft.values.get(parent)})
        draft.values.setdefault("position", found.last + 1)


async def _siblings(draft: Draft, entity: type[Entity], most: int | None, **of_parent: uuid.UUID | None) -> Any:
    found = (await draft.transaction.execute(writes.siblings(entity, draft.context.shop.id, **of_parent))).one()
    if most is not None and found.total >= most:
        raise Refused(too_many(most, *input_path(*of_parent)))
    return found


async def _require(draft: Draft, entity: type[Entity], row_id: uuid.UUID, *path: str) -> None:
    found = await draft.transaction.execute(writes.row(entity, draft.context.shop.id, row_id))
    if found.first() is None:
        raise Refused(not_found(*input_path(*path)))


async def _one_at_a_time(draft: Draft, name: str) -> None:
    await draft.transaction.execute(writes.one_at_a_time, {"name": name})


channels = Writable(Channel, "Channel", prepare=_channel, settle=_after_channel, clear=_keep_default_channel)
product_types = Writable(ProductType, "ProductType")
attributes = Writable(Attribute, "Attribute", clear=_clear_attribute)
attribute_values = Writable(
    AttributeValue, "AttributeValue", parent=("attribute_id", Attribute), prepare=_attribute_value
)
categories = Writable(Category, "Category", prepare=_category, settle=_after_category)
collections = Writable(Collection, "Collection", prepare=_collection, settle=_after_collection)
products = Writable(Product, "Product", prepare=_product, settle=_after_product, product_of=lambda draft: draft.id)
variants = Writable(
    Variant,
    "Variant",
    parent=("product_id", Product),
    prepare=_variant,
    product_of=lambda draft: draft.parent.id,
)
media = Writable(Media, "Media", parent=("product_id", Product), prepare=_media)
listings = Writable(
    Listing,
    "Listing",
    parent=("variant_id", Variant),
    prepare=_listing,
    product_of=lambda draft: draft.parent.product_id,
)
reviews = Writable(
    Review,
    "Review",
    parent=("product_id", Product),
    prepare=_review,
    settle=_after_review,
    product_of=lambda draft: draft.parent.id,
)
warehouses = Writable(Warehouse, "Warehouse", clear=_keep_stock)
