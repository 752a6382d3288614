"""Shops and channels as clients see them."""

from typing import cast

import strawberry
from strawberry.types import Info

from core.money import EXPONENTS
from models import shops as rows
from resolvers.context import Context
from resolvers.context import Shop as ShopRecord
from schema.views import Node, view_of


@view_of(rows.Channel)
class Channel(Node):
    """A place where the shop sells: one currency, its own prices, its own warehouses."""

    slug: str
    name: str
    currency: str
    default_country: str | None
    prices_include_tax: bool
    is_default: bool
    version: int


@strawberry.type(description="The shop that answers.")
class Shop:
    """View of `resolvers.context.Shop`."""

    slug: str
    name: str
    default_locale: str
    default_currency: str

    @strawberry.field(description="Decimal places of the default currency.")
    def default_currency_decimals(self) -> int:
        return EXPONENTS[self.default_currency]


def shop_of(info: Info[Context, None]) -> Shop:
    """Return the operation's shop."""
    record: ShopRecord = info.context.shop
    return cast("Shop", record)
