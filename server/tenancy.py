"""Which shop a request is for."""

import dataclasses
import math
import re
import time
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy.sql import Executable

from core.errors import Forbidden, ShopNotFound, ShopSuspended
from core.statements import Row
from models import shops as rows
from resolvers.context import Shop
from server.single_flight import SingleFlight

SHOP_HEADER = "Galleria-Shop"
LIFETIME_SECONDS = 5.0
"""How long a change of a shop may stay unseen; short, since suspension shall take effect at once."""

CACHE_SIZE = 10_000
"""Answers that are remembered, the empty ones included, so that made-up names cannot fill the memory."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SLUG_LENGTH = 120
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_HOST_LENGTH = 253
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PORT = re.compile(r":[0-9]{1,5}")
_SHOP_COLUMNS = tuple(field.name for field in dataclasses.fields(Shop))


class PlatformReader(Protocol):
    """Reads that need no tenant, as `core.database.Database` offers them."""

    async def fetch_platform(self, statement: Executable, **values: Any) -> list[Row]:
        """Run a statement outside of any tenant."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What a request says about its shop, as received.

    Attributes:
        claim: The `shop` claim of its verified token.
        header: Its `Galleria-Shop` header.
        host: Its Host header, with or without a port.
    """

    claim: str | None = None
    header: str | None = None
    host: str | None = None


@dataclasses.dataclass(slots=True)
class Located:
    """What a look-up has found.

    Attributes:
        shop: The shop; None where there is none.
        until: When it is to be looked up again, of `time.monotonic`.
    """

    shop: Shop | None
    until: float

    def served(self) -> Shop:
        """Return the shop, if it may be served.

        Raises:
            ShopNotFound: There is no such shop, or it is closed.
            ShopSuspended: It is not served at present.
        """
        # A closed shop answers as one that never was: its existence is nobody's business any more.
        if self.shop is None or self.shop.status == "CLOSED":
            raise ShopNotFound(f"No such shop; name one by the {SHOP_HEADER} header, its own host or an access token.")
        if self.shop.status == "SUSPENDED":
            raise ShopSuspended("This shop is suspended; its owner can ask the operator of this server why.")
        return self.shop


_NOWHERE = Located(None, math.inf)


class ShopDirectory:
    """Shops by id, slug and host, remembered for a few seconds."""

    def __init__(self, database: PlatformReader, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._timer = timer
        self._answers: dict[tuple[str, str], Located] = {}
        self._keys: dict[uuid.UUID, set[tuple[str, str]]] = {}
        self._flights: SingleFlight[tuple[str, str], Located] = SingleFlight()

    async def by_slug(self, slug: str) -> Shop | None:
        """Return the shop with this slug; None where there is none."""
        return (await self.locate_slug(slug)).shop

    async def locate_claim(self, claim: str) -> Located:
        """Find the shop that a token names by its id or its slug."""
        if _UUID.fullmatch(claim):
            return await self._find("id", claim, rows.shop_by_id, id=uuid.UUID(claim))
        return await self.locate_slug(claim)

    async def locate_slug(self, slug: str) -> Located:
        """Find a shop by its slug; what cannot be a slug is not looked up."""
        if not _is_slug(slug):
            return _NOWHERE
        return await self._find("slug", slug, rows.shop_by_slug, slug=slug)

    async def locate_host(self, host: str) -> Located:
        """Find a shop by one of its host names; what cannot be a host name is not looked up."""
        name = _host_name(host)
        return _NOWHERE if name is None else await self._find("host", name, rows.shop_by_host, host=name)

    def forget(self, shop_id: uuid.UUID) -> None:
        """Look a shop up again at the next request, since something of it has been written."""
        for key in self._keys.pop(shop_id, ()):
            self._answers.pop(key).until = -math.inf

    async def _find(self, kind: str, name: str, statement: Executable, **values: Any) -> Located:
        key = (kind, name)
        known = self._answers.get(key)
        if known is not None and self._timer() < known.until:
            return known

        async def look_up() -> Located:
            found = await self._database.fetch_platform(statement, **values)
            return self._remember(key, _shop_of(found[0]) if found else None)

        return await self._flights.run(key, look_up)

    def _remember(self, key: tuple[str, str], shop: Shop | None) -> Located:
        # Removed first, so that the dictionary stays in the order of look-up.
        self._drop(key)
        while len(self._answers) >= CACHE_SIZE:
            self._drop(next(iter(self._answers)))
        located = self._answers[key] = Located(shop, self._timer() + LIFETIME_SECONDS)
        if shop is not None:
            self._keys.setdefault(shop.id, set()).add(key)
        return located

    def _drop(self, key: tuple[str, str]) -> None:
        located = self._answers.pop(key, None)
        if located is None or located.shop is None:
            return
        keys = self._keys[located.shop.id]
        keys.discard(key)
        if not keys:
            del self._keys[located.shop.id]


def names_shop(claim: str) -> bool:
    """Tell whether a text has the form of a shop's slug; that of an id is one of those."""
    return _is_slug(claim)


async def resolve_shop(directory: ShopDirectory, naming: Naming, *, default_slug: str | None = None) -> Shop:
    """Return the shop that a request is for; see `locate_shop`."""
    return (await locate_shop(directory, naming, default_slug=default_slug)).served()


async def locate_shop(directory: ShopDirectory, naming: Naming, *, default_slug: str | None = None) -> Located:
    """Find the shop that a request is for.

    A token decides alone, and a header may only agree with it. Without a token the header decides, then the host,
    then the default.

    Args:
        directory: Where shops are found.
        naming: What the request says.
        default_slug: Shop of requests that name none; for development.

    Raises:
        ShopNotFound: No such shop, or it is closed.
        ShopSuspended: It is not served at present.
        Forbidden: Token and header name different shops.
    """
    located = await _named_shop(directory, naming, default_slug)
    shop = located.served()
    if naming.claim is not None and naming.header is not None and naming.header != shop.slug:
        raise Forbidden(f"The access token is for another shop than the {SHOP_HEADER} header names; leave one out.")
    return located


async def _named_shop(directory: ShopDirectory, naming: Naming, default_slug: str | None) -> Located:
    if naming.claim is not None:
        return await directory.locate_claim(naming.claim)
    if naming.header is not None:
        return await directory.locate_slug(naming.header)
    located = _NOWHERE if naming.host is None else await directory.locate_host(naming.host)
    if located.shop is None and default_slug is not None:
        return await directory.locate_slug(default_slug)
    return located


def _is_slug(text: str) -> bool:
    return len(text) <= _SLUG_LENGTH and _SLUG.fullmatch(text) is not None


def _host_name(host: str) -> str | None:
    """Return the host name of a Host header in the form in which domains are stored; None for anything else."""
    name, colon, port = host[: _HOST_LENGTH + len(":65535") + 1].lower().partition(":")
    if colon and not _PORT.fullmatch(colon + port):
        return None
    name = name.removesuffix(".")
    return name if len(name) <= _HOST_LENGTH and _HOST.fullmatch(name) else None


def _shop_of(row: Row) -> Shop:
    return Shop(**{name: getattr(row, name) for name in _SHOP_COLUMNS})
