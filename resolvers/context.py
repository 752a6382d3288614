"""Who asks, for which shop, and with what: the record that every resolver is given."""

import dataclasses
import enum
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.clock import Clock
from core.database import TenantDatabase
from core.errors import Forbidden, Unauthenticated
from core.pagination import CursorCodec
from loaders import Loaders
from loaders.batching import Kind, Relation
from loaders.carrying import Carried
from models.scopes import Scope
from resolvers.feeds import Feeds


class Permission(enum.StrEnum):
    """What staff and keys may be allowed to do; the value is the form that tokens carry."""

    CATALOGUE_READ = "catalogue:read"
    """See drafts, archived products, unpublished listings and costs."""
    CATALOGUE_WRITE = "catalogue:write"
    INVENTORY_READ = "inventory:read"
    """See exact quantities by warehouse."""
    INVENTORY_WRITE = "inventory:write"
    REVIEWS_MODERATE = "reviews:moderate"


ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission),
    "catalogue": frozenset(
        {Permission.CATALOGUE_READ, Permission.CATALOGUE_WRITE, Permission.INVENTORY_READ, Permission.REVIEWS_MODERATE}
    ),
    "inventory": frozenset({Permission.CATALOGUE_READ, Permission.INVENTORY_READ, Permission.INVENTORY_WRITE}),
    "support": frozenset({Permission.CATALOGUE_READ, Permission.INVENTORY_READ}),
}
"""The roles every shop starts with."""


class ActorKind(enum.StrEnum):
    """Kinds of caller."""

    ANONYMOUS = "anonymous"
    CUSTOMER = "customer"
    STAFF = "staff"
    KEY = "key"
    SYSTEM = "system"


@dataclasses.dataclass(frozen=True, slots=True)
class Actor:
    """Who asks.

    Attributes:
        kind: Which kind of caller.
        subject: Stable identity within the shop (the token's `sub`); None for anonymous shoppers.
        permissions: What the actor may do beyond shopping.
    """

    kind: ActorKind
    subject: str | None = None
    permissions: frozenset[Permission] = frozenset()

    @property
    def name(self) -> str:
        """The kind and, where there is one, the subject: `staff:7`."""
        return self.kind.value if self.subject is None else f"{self.kind.value}:{self.subject}"

    def may(self, permission: Permission) -> bool:
        """Tell whether the actor holds a permission; the system holds all."""
        return self.kind is ActorKind.SYSTEM or permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Refuse an actor without a permission.

        Raises:
            Unauthenticated: Nobody is signed in.
            Forbidden: Somebody is, without the permission.
        """
        if self.may(permission):
            return
        if self.kind is ActorKind.ANONYMOUS:
            raise Unauthenticated("Sign in to do this.")
        raise Forbidden(f"This needs the permission {permission.value}.")


ANONYMOUS = Actor(ActorKind.ANONYMOUS)
SYSTEM = Actor(ActorKind.SYSTEM)


@dataclasses.dataclass(frozen=True, slots=True)
class Shop:
    """The tenant of an operation.

    Attributes:
        id: The `shop_id` of all its rows.
        slug: Its name in addresses and headers.
        name: Its name for people.
        status: ACTIVE, SUSPENDED or CLOSED.
        default_currency: ISO 4217 code.
        default_locale: BCP 47 tag of the shop's own texts.
        default_channel_id: The channel that is meant where none is named; None where the shop has none yet.
        cursor_key: Secret that signs the cursors of its listings.
    """

    id: uuid.UUID
    slug: str
    name: str
    status: str
    default_currency: str
    default_locale: str
    default_channel_id: uuid.UUID | None
    cursor_key: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(slots=True)
class Context:
    """What an operation runs with; made for one operation, never for a socket.

    Attributes:
        shop: The tenant.
        actor: Who asks.
        database: Reads and writes of this shop only.
        loaders: Batched reads of this operation.
        clock: The time source.
        scopes: What each root field's subtree is seen through, by response key.
        carried: What the statement of a root field is to bring, by response key; whoever runs the operation says so
            before it calls the field's resolver.
        on_change: Called once something of the shop has been written, with its id and with whether that may have
            changed the shop itself.
        feeds: Where subscriptions hear of events that nobody shares with them.
    """

    shop: Shop
    actor: Actor
    database: TenantDatabase
    loaders: Loaders
    clock: Clock
    scopes: dict[str, Scope] = dataclasses.field(default_factory=dict)
    carried: dict[str, Carried] = dataclasses.field(default_factory=dict)
    on_change: Callable[[uuid.UUID, bool], None] | None = None
    feeds: Feeds | None = None
    _default_scope: Scope | None = None

    async def close(self) -> None:
        """End the operation; see `TenantDatabase.close`."""
        try:
            await self.database.close()
        finally:
            if self.on_change is not None and self.database.has_written:
                self.on_change(self.shop.id, self.database.may_have_changed)

    async def renew(self) -> None:
        """Forget what was read: what follows is about a later moment."""
        await self.database.renew()
        self.loaders = Loaders(self.database)

    def default_scope(self) -> Scope:
        """Return the scope of a root field that names neither channel nor locale."""
        if self._default_scope is None:
            self._default_scope = Scope(
                self.shop.default_channel_id, None, drafts=self.actor.may(Permission.CATALOGUE_READ)
            )
        return self._default_scope

    def load(self, relation: Relation, key: Any, root: str, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """Read what a relation holds for a key, as the root field with this response key sees it."""
        return self.loaders.load(relation, key, self._scope(root), arguments)

    def load_list(
        self, relation: Relation, keys: Sequence[Any], root: str, arguments: Mapping[str, Any], *, alone: bool = False
    ) -> Awaitable[list[Any]]:
        """Read the same for all parents of a level; see `loaders.Loaders.load_list`."""
        return self.loaders.load_list(relation, keys, self._scope(root), arguments, alone=alone)

    def reads_no_more_than(self, relation: Relation) -> None:
        """Take note that one batch of a relation is all that the operation still reads."""
        self.database.is_at_last_read = relation.kind is not Kind.PAGE

    def _scope(self, root: str) -> Scope:
        scope = self.scopes.get(root)
        if scope is None:
            scope = self.scopes[root] = self.default_scope()
        return scope

    def cursors(self, listing: str) -> CursorCodec:
        """Return the codec of a listing's cursors."""
        return CursorCodec(self.shop.cursor_key, listing)
