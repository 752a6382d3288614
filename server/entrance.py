"""Where requests come in: who asks, for which shop, and what an operation of theirs runs with."""

import dataclasses
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from core.clock import system_clock
from core.database import Database
from loaders import Loaders
from resolvers.context import ANONYMOUS, Actor, Context, Shop
from server.authentication import Authenticator, Verified, bearer_token
from server.graphql.contexts import RequestView
from server.response_cache import CachedResponses
from server.tenancy import SHOP_HEADER, Located, Naming, ShopDirectory, locate_shop

CALLERS_KNOWN = 10_000
"""Callers that are known again by what their headers say, the least recently seen leaving first."""

_SHOP_HEADER = SHOP_HEADER.lower()

LONGEST_SAID = 2_000
"""Characters of headers that are remembered; longer ones are looked at each time."""

_Said = tuple[str | None, str | None, str | None]
"""What a request says of who asks and for which shop: its headers Authorization, Galleria-Shop and, where both are
missing, Host."""


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and for which shop.

    Attributes:
        shop: The tenant.
        actor: Who asks.
        expires_at: When the token ends that says so; None where there is no token.
        said: What he is known again by; None where nobody can look him up again.
    """

    shop: Shop
    actor: Actor
    expires_at: datetime | None = None
    said: "_Said | None" = dataclasses.field(default=None, repr=False, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    located: Located
    verified: Verified | None


class Entrance:
    """Finds out who asks and for which shop, and opens the context of an operation.

    Args:
        authenticator: Verifies tokens.
        directory: Where shops are found.
        database: Of all shops.
        cached: The response cache, which is told of writes; None where there is none.
        default_shop: Slug of the shop of requests that name none; for development.
        deadline_seconds: What an operation may take.
        on_write: Called once something was written; None where nobody wants to know.
    """

    def __init__(  # noqa: PLR0913  (all that it needs)
        self,
        *,
        authenticator: Authenticator,
        directory: ShopDirectory,
        database: Database,
        cached: CachedResponses | None = None,
        default_shop: str | None = None,
        deadline_seconds: float = 10.0,
        on_write: Callable[[], None] | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._directory = directory
        self._database = database
        self._cached = cached
        self._default_shop = default_shop
        self._deadline_seconds = deadline_seconds
        self._on_write = on_write
        self._known: OrderedDict[_Said, _Known] = OrderedDict()

    async def identify(self, view: RequestView) -> Caller:
        """Find out who asks, and for which shop.

        Raises:
            Unauthenticated: The token is not one of ours, or expired.
            ShopNotFound: There is no such shop.
            ShopSuspended: It is not served at present.
            Forbidden: Token and header name different shops.
        """
        headers = view.headers
        authorization, shop = headers.get("authorization"), headers.get(_SHOP_HEADER)
        said = authorization, shop, headers.get("host") if authorization is None and shop is None else None
        known = self._known.get(said)
        if known is not None and self._is_current(known):
            return known.caller
        known = await self._look_up(*said)
        self._remember(said, known)
        return known.caller

    def known(self, caller: Caller) -> Caller | None:
        """Return a caller as he is now; None where that has to be looked up."""
        if caller.said is None:
            return caller
        known = self._known.get(caller.said)
        return known.caller if known is not None and self._is_current(known) else None

    def shop_of(self, authorization: str | None, shop: str | None, host: str | None) -> uuid.UUID | None:
        """Return the shop that headers meant when they were last seen; None where that is not remembered."""
        said = authorization, shop, host if authorization is None and shop is None else None
        known = self._known.get(said)
        return None if known is None else known.caller.shop.id

    async def again(self, caller: Caller) -> Caller:
        """Return a caller as he is now; raises as `identify` does."""
        known = self.known(caller)
        if known is not None or caller.said is None:
            return known or caller
        found = await self._look_up(*caller.said)
        self._remember(caller.said, found)
        return found.caller

    def open(self, caller: Caller) -> Context:
        """Open what one operation runs with; whoever opens it closes it."""
        tenant = self._database.of_tenant(
            caller.shop.id, statement_timeout_seconds=self._deadline_seconds, actor=caller.actor.name
        )
        return Context(
            shop=caller.shop,
            actor=caller.actor,
            database=tenant,
            loaders=Loaders(tenant),
            clock=system_clock,
            on_change=self._changed,
        )

    def _is_current(self, known: _Known) -> bool:
        """Tell whether nothing has to be looked up again; nothing is known for longer than by whoever looked it up."""
        verified, cached = known.verified, self._cached
        if time.monotonic() >= known.located.until:
            return False
        if verified is not None and not verified.holds_at(self._authenticator.clock()):
            return False
        return cached is None or cached.responses.stamps.known(known.caller.shop.id) is not None

    async def _look_up(self, authorization: str | None, header: str | None, host: str | None) -> _Known:
        token = bearer_token(authorization)
        verified = self._authenticator.verified(token) if token is not None else None
        claim = verified.credentials.shop if verified is not None else None
        naming = Naming(claim=claim, header=header, host=host)
        located = await locate_shop(self._directory, naming, default_slug=self._default_shop)
        shop = located.served()
        if self._cached is not None and await self._cached.looked_again(shop.id):
            located = await locate_shop(self._directory, naming, default_slug=self._default_shop)
            shop = located.served()
        said = authorization, header, host
        if verified is None:
            return _Known(Caller(shop, ANONYMOUS, said=said), located, None)
        credentials = verified.credentials
        return _Known(Caller(shop, credentials.actor, credentials.expires_at, said), located, verified)

    def _remember(self, said: _Said, known: _Known) -> None:
        if sum(len(header) for header in said if header is not None) > LONGEST_SAID:
            return
        self._known.pop(said, None)
        self._known[said] = known
        if len(self._known) > CALLERS_KNOWN:
            self._known.popitem(last=False)

    def _changed(self, shop_id: uuid.UUID, is_shop: bool) -> None:  # noqa: FBT001  (see `Context.on_change`)
        """Take note that something of a shop has been written, perhaps the shop itself."""
        if is_shop:
            self._directory.forget(shop_id)
        if self._on_write is not None:
            self._on_write()
        if self._cached is not None:
            self._cached.changed(shop_id)
