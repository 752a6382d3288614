"""Reviews of demo products, over the last 90 days of the shops' history."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from server.demo.designs import Design
from server.demo.frames import Frame
from server.demo.identities import REFERENCE
from server.demo.profiles import SMALLEST_SHOP
from server.demo.rows import ReviewRow
from server.demo.vocabulary import vocabulary

_DAYS = 90
_SECONDS = _DAYS * 24 * 3600
_MOST = 21
_FROM_CUSTOMERS = 0.4
_MODERATION = (("APPROVED", 0.9), ("PENDING", 0.97), ("REJECTED", 1.0))


def review_rows(frame: Frame, product: Design) -> list[ReviewRow]:
    """Make the reviews of a product, from the oldest on; none of drafts, and of some products only in large shops."""
    is_popular = product.number < SMALLEST_SHOP or product.number % 8 == 0
    if product.status == "DRAFT" or product.number % 5 == 2 or not is_popular:  # noqa: PLR2004  (any remainder does)
        return []
    dice = product.chance("reviews")
    liked = dice.uniform(3.2, 4.9)
    moments = sorted(dice.randrange(_SECONDS) for _ in range(dice.randrange(4, _MOST)))
    locale = frame.profile.locale
    words = vocabulary()
    rows = []
    for place, seconds in enumerate(moments):
        rating = min(5, max(1, round(dice.gauss(liked, 0.9))))
        phrase = dice.choice(words.phrases[rating])
        fate = dice.random()
        written_at = REFERENCE - timedelta(days=_DAYS) + timedelta(seconds=seconds)
        rows.append(
            ReviewRow(
                shop_id=frame.shop_id,
                id=frame.identities.of("review", product.number * _MOST + place, written_at),
                product_id=frame.product_id(product.number),
                author_name=dice.choice(words.authors[locale]),
                author_subject=f"customer-{place}" if dice.random() < _FROM_CUSTOMERS else None,
                rating=rating,
                title=phrase.title.in_locale(locale),
                body=phrase.body.in_locale(locale),
                status=next(status for status, up_to in _MODERATION if fate < up_to),
                created_at=written_at,
                updated_at=written_at,
            )
        )
    return rows


def rating_of(reviews: Iterable[ReviewRow]) -> tuple[Decimal | None, int]:
    """Return average and number of the ratings that count: the approved ones."""
    ratings = [review.rating for review in reviews if review.status == "APPROVED"]
    if not ratings:
        return None, 0
    average = Decimal(sum(ratings)) / len(ratings)
    return average.quantize(Decimal("0.01"), ROUND_HALF_UP), len(ratings)
