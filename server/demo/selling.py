"""Prices and stock of demo products, with the cases that shops must get right."""

import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from server.demo.designs import MOST_VARIANTS, Design, Option
from server.demo.frames import Frame
from server.demo.profiles import SMALLEST_SHOP
from server.demo.rows import ListingRow, StockRow

BACKORDER_LIMIT = 25
"""Pieces that may be sold of the variants that can be ordered in advance."""

SCHEDULED = datetime(2040, 1, 1, tzinfo=UTC)
"""When scheduled products come on sale: far off, so that they stay scheduled."""

_COMPARE_AT = 1.35
_COST = 0.45
_SURCHARGE = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A variant of a demo product.

    Attributes:
        design: Its product.
        position: Its place among the variants.
        id: Its id.
        options: What it has chosen.
    """

    design: Design
    position: int
    id: uuid.UUID
    options: tuple[Option, ...]

    @property
    def number(self) -> int:
        """Its number among all variants; some are left out."""
        return self.design.number * MOST_VARIANTS + self.position

    @property
    def backorder_limit(self) -> int:
        """Pieces that may be sold beyond the stock."""
        return BACKORDER_LIMIT if self.number % 23 == 11 else 0  # noqa: PLR2004  (any remainder does)


def listing_rows(frame: Frame, piece: Piece) -> Iterator[ListingRow]:
    """Make the prices of a variant; beyond the small shops, every other product is in the first channel only."""
    number = piece.design.number
    cents = round(piece.design.cents * (1 + _SURCHARGE * piece.position))
    # Some are not shown at all, some in the first channel only, and some are not on sale yet.
    shown = 0 if number % 24 == 9 else 1 if number % 12 == 5 else len(frame.profile.channels)  # noqa: PLR2004
    available_from = SCHEDULED if number % 15 == 4 else None  # noqa: PLR2004
    channels = frame.profile.channels[: 1 if number >= SMALLEST_SHOP and number % 2 else None]
    for place, channel in enumerate(channels):
        yield ListingRow(
            shop_id=frame.shop_id,
            id=frame.identities.of(f"listing-{place}", piece.number, frame.made_at(number)),
            channel_id=frame.identities.fixed("channel", channel.slug),
            variant_id=piece.id,
            price_minor=channel.tariff.price_minor(cents),
            compare_at_minor=channel.tariff.price_minor(round(cents * _COMPARE_AT))
            if piece.design.is_reduced
            else None,
            cost_minor=channel.tariff.price_minor(round(cents * _COST)),
            is_published=place < shown,
            available_from=available_from,
        )


def stock_rows(frame: Frame, piece: Piece) -> Iterator[StockRow]:
    """Make the stock of a variant: always in the first warehouse, for every other product in the second too."""
    shop_id, fixed = frame.shop_id, frame.identities.fixed
    dice = piece.design.chance(f"stock-{piece.position}")
    main, second = fixed("warehouse", "main"), fixed("warehouse", "second")
    match piece.number % 23:
        case 3:
            yield StockRow(shop_id, piece.id, main, on_hand=1)
            return
        case 7:
            yield StockRow(shop_id, piece.id, main, on_hand=0)
            return
        case 11:
            yield StockRow(shop_id, piece.id, main, on_hand=0, allocated=2, backorder_limit=BACKORDER_LIMIT)
            return
        case 13:
            yield StockRow(shop_id, piece.id, main, on_hand=4, allocated=3, reserved=1)
            return
    on_hand = dice.randrange(8, 140)
    yield StockRow(
        shop_id, piece.id, main, on_hand=on_hand, allocated=dice.randrange(on_hand // 4), safety=dice.choice((0, 0, 2))
    )
    if piece.design.number % 2 == 0:
        yield StockRow(shop_id, piece.id, second, on_hand=dice.randrange(40))
