"""Requests that were just answered from what is kept: they are known again by their bytes, without being read."""

import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from server.graphql.caching import Place
from server.graphql.contexts import ActorView, DatabaseView, ShopView, StatisticsView
from server.graphql.costs import DEBUG_HEADER, DRY_RUN_HEADER, Costs

LIFETIME_SECONDS = 1.0
"""How long a request is known: for as long, a token that ends or a shop that is suspended may go unseen. Changes of
data do not: what is kept has a stamp, which is compared each time."""

REQUESTS_KNOWN = 2_000
LONGEST_HEADERS = 2_000
"""Characters of the headers that decide."""

LONGEST_BODY = 8_000
"""Bytes; a client whose requests are longer is better served by persisted documents."""

_DECIDING = ("authorization", "galleria-shop", "host", "accept", "content-type", "content-encoding")
"""Headers that the answer depends on."""

_PREVENTING = (DEBUG_HEADER, DRY_RUN_HEADER, "galleria-executor")
"""Headers that ask for more than the answer."""

Key = tuple[bytes | str | None, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Statistics:
    statements: int = 0
    rows: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class _Database:
    statistics: StatisticsView = dataclasses.field(default_factory=_Statistics)


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What reading a request has brought to light.

    Attributes:
        shop: The tenant.
        actor: Who asks.
        operation: Name of the operation.
        costs: What it costs.
        place: Where the answer is kept.
        until: When all of this is to be looked up again.
        database: Of nobody: nothing is asked of one.
    """

    shop: ShopView
    actor: ActorView
    operation: str | None
    costs: Costs
    place: Place
    until: float
    database: DatabaseView = dataclasses.field(default_factory=_Database)

    async def close(self) -> None:
        """Do nothing: nothing was opened."""


class SeenRequests:
    """Requests by their bytes, the least recently seen leaving first."""

    def __init__(self, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._seen: OrderedDict[Key, Seen] = OrderedDict()

    def get(self, key: Key) -> Seen | None:
        """Return what is known of a request, if that is not too old."""
        seen = self._seen.get(key)
        return seen if seen is not None and self._timer() < seen.until else None

    def remember(  # noqa: PLR0913  (all that is known of a request)
        self,
        key: Key,
        *,
        shop: ShopView,
        actor: ActorView,
        operation: str | None,
        costs: Costs,
        place: Place,
    ) -> None:
        """Keep what was found out about a request."""
        self._seen.pop(key, None)
        self._seen[key] = Seen(shop, actor, operation, costs, place, self._timer() + LIFETIME_SECONDS)
        if len(self._seen) > REQUESTS_KNOWN:
            self._seen.popitem(last=False)


def key_of(body: bytes, headers: Mapping[str, str]) -> Key | None:
    """Return what a request is known by; None for one that asks for more than its answer, or is too long."""
    if len(body) > LONGEST_BODY or any(name in headers for name in _PREVENTING):
        return None
    deciding = [headers.get(name) for name in _DECIDING]
    if sum(len(header) for header in deciding if header is not None) > LONGEST_HEADERS:
        return None
    return (body, *deciding)
