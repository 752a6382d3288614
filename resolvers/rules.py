"""Rules of collections: what they may say."""

from collections.abc import Mapping
from typing import Any

from core.money import LARGEST_MINOR
from resolvers.refusals import Refused, input_path, invalid

_BEST_RATING = 5


def check_rule(rule: Mapping[str, Any]) -> None:
    """Refuse a rule that nothing can meet; its texts and its category are checked elsewhere.

    Args:
        rule: As `collection.rule` holds it.

    Raises:
        Refused: A number of it is out of bounds.
    """
    for name in ("priceFromMinor", "priceToMinor"):
        if not 0 <= rule.get(name, 0) <= LARGEST_MINOR:
            raise Refused(invalid(f"An amount is 0 to {LARGEST_MINOR} minor units.", *input_path("rule", name)))
    if rule.get("priceToMinor", LARGEST_MINOR) < rule.get("priceFromMinor", 0):
        raise Refused(invalid("The price range ends before it begins.", *input_path("rule", "priceToMinor")))
    if not 1 <= rule.get("ratingFrom", 1) <= _BEST_RATING:
        raise Refused(invalid(f"A rating is 1 to {_BEST_RATING}.", *input_path("rule", "ratingFrom")))
