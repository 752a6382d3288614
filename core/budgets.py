"""How much each kind of client may ask of a shop, as settings write it."""

import dataclasses
import re

from core.rate_limit import RATE_LIMIT, Rate

_ENTRY = re.compile(r"([a-z]+)=([0-9]{1,12})/([0-9]{1,12})")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The budget of each kind of client, and of all clients of a shop together.

    Attributes:
        shopper: Of an address that nobody has signed in from.
        customer: Of a customer.
        staff: Of a staff account.
        key: Of a key.
        shop: Of all of them, in one shop.
    """

    shopper: Rate
    customer: Rate
    staff: Rate
    key: Rate
    shop: Rate

    def __str__(self) -> str:
        """Return them as settings write them."""
        return ",".join(f"{field.name}={getattr(self, field.name)}" for field in dataclasses.fields(self))


DEFAULT = {
    "shopper": Rate(2_000, 100),
    "customer": Rate(2_000, 100),
    # They may send operations of up to 5,000 points.
    "staff": Rate(10_000, 500),
    "key": Rate(10_000, 500),
    # A hundred shoppers at a time who all ask as much as they may.
    "shop": Rate(200_000, 10_000),
}


def budgets(text: str) -> Budgets:
    """Parse budgets such as `shopper=2000/100`, separated by commas; those that are not named keep their default."""
    rates: dict[str, Rate] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        found = _ENTRY.fullmatch(entry)
        if found is None or found[1] not in DEFAULT or found[1] in rates:
            raise ValueError(f"must name {', '.join(DEFAULT)} once, as in shopper=2000/100, not {entry!r}")
        rates[found[1]] = Rate(int(found[2]), int(found[3]))
    chosen = DEFAULT | rates
    for name, rate in chosen.items():
        _check(name, rate, chosen["shop"])
    return Budgets(**chosen)


def _check(name: str, rate: Rate, shop: Rate) -> None:
    if not (1 <= rate.capacity <= RATE_LIMIT and 1 <= rate.per_second <= RATE_LIMIT):
        raise ValueError(f"must have points from 1 to {RATE_LIMIT}, not {name}={rate}")
    # Half of the shop's bucket may be kept back from a client, and what is left must do for a full bucket of its own.
    if name != "shop" and 2 * rate.capacity > shop.capacity:
        raise ValueError(
            f"must give the shop at least twice the points of each client, not shop={shop} for {name}={rate}"
        )
