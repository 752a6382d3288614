"""Opens shops: a tenant with all it needs before its first product."""

import dataclasses
import secrets

from core.database import Database
from core.errors import BadUserInput
from core.ids import new_id
from models import inventory, shops
from resolvers.context import Shop

_CURSOR_KEY_BYTES = 32
"""What `shop.cursor_key` must hold."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new shop is to be.

    Attributes:
        slug: Its name in requests, unique in the installation.
        name: Its name for people.
        currency: ISO 4217 code of its default channel.
        locale: BCP 47 tag of its own texts.
    """

    slug: str
    name: str
    currency: str
    locale: str


async def open_shop(database: Database, opening: Opening) -> Shop:
    """Make a shop with a channel `default` that sells from a warehouse `main`.

    Returns:
        The shop, as operations see it.

    Raises:
        BadUserInput: Another shop has the slug.
    """
    if await database.fetch_platform(shops.shop_by_slug, slug=opening.slug):
        raise BadUserInput(f"There is a shop {opening.slug!r} already; choose another slug.")
    shop = shops.Shop(
        id=new_id(),
        slug=opening.slug,
        name=opening.name,
        default_currency=opening.currency,
        default_locale=opening.locale,
        cursor_key=secrets.token_bytes(_CURSOR_KEY_BYTES),
    )
    channel = shops.Channel(
        shop_id=shop.id, id=new_id(), slug="default", name="Default", currency=opening.currency, is_default=True
    )
    warehouse = inventory.Warehouse(shop_id=shop.id, id=new_id(), slug="main", name="Main warehouse")
    link = inventory.ChannelWarehouse(shop_id=shop.id, channel_id=channel.id, warehouse_id=warehouse.id)
    async with database.of_tenant(shop.id).write() as transaction:
        # The rows know each other by key alone, so their order is ours to keep.
        await transaction.add(shop, channel, warehouse, link)
        await transaction.commit()
    return Shop(
        id=shop.id,
        slug=shop.slug,
        name=shop.name,
        status="ACTIVE",
        default_currency=shop.default_currency,
        default_locale=shop.default_locale,
        default_channel_id=channel.id,
        cursor_key=shop.cursor_key,
    )
