"""What is special about writing each kind of row of the catalogue."""

import uuid

from core.money import EXPONENTS, minor_units
from models import writes
from models.attributes import Attribute, AttributeValue, ProductType
from models.base import Entity
from models.categories import DEEPEST_CATEGORY, Category
from models.collections import Collection, refresh_rule_of_collection
from models.inventory import ChannelWarehouse, Warehouse
from models.listings import Listing, refresh_channel_listings
from models.products import Media, Product, Review, Variant
from models.search import search_config
from models.shops import Channel
from resolvers.refusals import ErrorCode, Refusal, Refused, input_path, not_found
from resolvers.writing import Draft, Writable

MOST_CHANNELS = 50
MOST_VARIANTS = 2_000
MOST_MEDIA = 250

_PATH_STEP = 33
"""Characters that a level adds to a category's path: 32 hexadecimal digits and a slash."""


async def _channel(draft: Draft) -> None:
    currency = draft.values.get("currency")
    if currency is not None and currency not in EXPONENTS:
        raise Refused(Refusal(ErrorCode.INVALID, "A currency is an ISO 4217 code such as EUR.", input_path("currency")))
    if draft.before is not None and currency not in (None, draft.before.currency):
        await _refuse_if(draft, Listing, "currency", "Prices of this channel are in its currency.", channel_id=draft.id)
    if draft.before is not None and draft.before.is_default and draft.values.get("is_default") is False:
        message = "A shop has one default channel; make another one the default instead."
        raise Refused(Refusal(ErrorCode.INVALID, message, input_path("is_default")))
    if draft.values.get("is_default"):
        await draft.transaction.execute(writes.other_channels_demoted(draft.context.shop.id, draft.id))


async def _after_channel(draft: Draft) -> None:
    """Give a new channel a listing of every product, and what the main warehouse has."""
    if draft.before is not None:
        return
    shop_id = draft.context.shop.id
    await draft.transaction.execute(refresh_channel_listings, {"channel": draft.id})
    for warehouse_id in (await draft.transaction.execute(writes.warehouses(shop_id))).scalars().all():
        values = {"channel_id": draft.id, "warehouse_id": warehouse_id}
        await draft.transaction.execute(writes.inserted(ChannelWarehouse, shop_id, values))


async def _keep_default_channel(draft: Draft) -> None:
    if draft.before.is_default:
        raise Refused(Refusal(ErrorCode.IN_USE, "This is the default channel; make another one it first.", ("id",)))


async def _product(draft: Draft) -> None:
    if draft.before is None:
        draft.values["search_config"] = search_config(draft.context.shop.default_locale)
    if draft.values.get("tags") is not None:
        draft.values["tags"] = list(dict.fromkeys(draft.values["tags"]))
    # A category that was deleted a moment ago, a product type of another shop: the foreign keys see to it.


async def _of_live_product(draft: Draft) -> None:
    """Refuse children of a product that is gone; its row is still there, so no foreign key would."""
    if draft.before is None:
        await require(draft, Product, draft.values["product_id"], "product_id")


async def _variant(draft: Draft) -> None:
    await _of_live_product(draft)
    await _at_the_end(draft, Variant, "product_id")


async def _media(draft: Draft) -> None:
    await _of_live_product(draft)
    url = draft.values.get("url")
    if url is not None and not url.startswith(("https://", "http://", "/")):
        message = "An address starts with https://, http:// or /."
        raise Refused(Refusal(ErrorCode.INVALID, message, input_path("url")))
    product_id = draft.values.get("product_id") or draft.before.product_id
    variant_id = draft.values.get("variant_id")
    if variant_id is not None:
        found = await draft.transaction.execute(
            writes.exists_with(Variant, draft.context.shop.id, id=variant_id, product_id=product_id)
        )
        if found.first() is None:
            raise Refused(not_found(*input_path("variant_id")))
    await _at_the_end(draft, Media, "product_id")


_AMOUNTS = {"price": "price_minor", "compare_at_price": "compare_at_minor", "cost": "cost_minor"}


async def _listing(draft: Draft) -> None:
    """Turn amounts into minor units of the channel's currency."""
    if draft.before is None:
        await require(draft, Variant, draft.values["variant_id"], "variant_id")
    channel_id = draft.values["channel_id"] if draft.before is None else draft.before.channel_id
    found = await draft.transaction.execute(writes.row(Channel, draft.context.shop.id, channel_id))
    channel = found.one_or_none()
    if channel is None:
        raise Refused(not_found(*input_path("channel_id")))
    for name, column in _AMOUNTS.items():
        if name in draft.values:
            draft.values[column] = _minor(draft.values.pop(name), channel.currency, name)


def _minor(amount: str | None, currency: str, name: str) -> int | None:
    if amount is None:
        return None
    minor = minor_units(amount, currency)
    if minor is None:
        message = f"This is no amount of {currency}, which has {EXPONENTS[currency]} decimals."
        raise Refused(Refusal(ErrorCode.INVALID, message, input_path(name)))
    return minor


async def _category(draft: Draft) -> None:
    """Keep the path in step with the parent, and the tree a tree."""
    own = f"{draft.id.hex}/"
    if draft.before is None:
        draft.values["path"] = await _path_below(draft, draft.values.get("parent_id")) + own
        await _at_the_end(draft, Category, "parent_id")
        return
    if "parent_id" not in draft.values or draft.values["parent_id"] == draft.before.parent_id:
        return
    old, new = draft.before.path, await _path_below(draft, draft.values["parent_id"]) + own
    if new.startswith(old):
        raise Refused(Refusal(ErrorCode.INVALID, "A category cannot lie below itself.", input_path("parent_id")))
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
        message = f"The tree has at most {DEEPEST_CATEGORY} levels."
        raise Refused(Refusal(ErrorCode.INVALID, message, input_path("parent_id")))


async def _after_collection(draft: Draft) -> None:
    """Fill a collection by its rule."""
    await draft.transaction.execute(refresh_rule_of_collection, {"collection": draft.id})


async def _collection(draft: Draft) -> None:
    if "rule" in draft.values:
        draft.values["kind"] = "RULE" if draft.values["rule"] is not None else "MANUAL"
    elif draft.before is None:
        draft.values["kind"] = "MANUAL"


async def _attribute_value(draft: Draft) -> None:
    await _at_the_end(draft, AttributeValue, "attribute_id")


async def _after_review(draft: Draft) -> None:
    product_id = draft.before.product_id if draft.before is not None else draft.values["product_id"]
    await draft.transaction.execute(writes.ratings_recounted, {"product": product_id})


async def _at_the_end(draft: Draft, entity: type[Entity], parent: str) -> None:
    """Put a new row behind its siblings where the client names no place."""
    if draft.before is not None or draft.values.get("position") is not None:
        return
    of_parent = {parent: draft.values.get(parent)}
    found = await draft.transaction.execute(writes.last_position(entity, draft.context.shop.id, **of_parent))
    draft.values["position"] = found.scalar_one() + 1


async def require(draft: Draft, entity: type[Entity], row_id: uuid.UUID, column: str) -> None:
    """Refuse a draft whose column names a row that is not there, or is deleted."""
    found = await draft.transaction.execute(writes.row(entity, draft.context.shop.id, row_id))
    if found.first() is None:
        raise Refused(not_found(*input_path(column)))


async def _refuse_if(draft: Draft, entity: type[Entity], column: str, message: str, **values: uuid.UUID) -> None:
    found = await draft.transaction.execute(writes.exists_with(entity, draft.context.shop.id, **values))
    if found.first() is not None:
        raise Refused(Refusal(ErrorCode.IN_USE, message, input_path(column)))


channels = Writable(Channel, "Channel", prepare=_channel, settle=_after_channel, may_delete=_keep_default_channel)
product_types = Writable(ProductType, "ProductType")
attributes = Writable(Attribute, "Attribute")
attribute_values = Writable(AttributeValue, "AttributeValue", prepare=_attribute_value)
categories = Writable(Category, "Category", prepare=_category)
collections = Writable(Collection, "Collection", prepare=_collection, settle=_after_collection)
products = Writable(Product, "Product", prepare=_product, products_of=writes.products_with)
variants = Writable(Variant, "Variant", prepare=_variant, products_of=writes.products_of_variants)
media = Writable(Media, "Media", prepare=_media)
listings = Writable(Listing, "Listing", prepare=_listing, products_of=writes.products_of_listings)
reviews = Writable(
    Review, "Review", prepare=_of_live_product, settle=_after_review, products_of=writes.products_of_reviews
)
warehouses = Writable(Warehouse, "Warehouse")
