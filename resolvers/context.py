"""Who asks, for which shop, and with what: the record that every resolver is given."""

import dataclasses
import enum
import uuid
from datetime import datetime

from core.clock import Clock
from core.database import Database
from core.errors import Forbidden, Unauthenticated
from loaders import Loaders


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
    """The tenant of an operation."""

    id: uuid.UUID
    slug: str
    name: str
    status: str
    default_currency: str
    default_locale: str
    default_channel_id: uuid.UUID | None


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a root field's subtree is seen through.

    Attributes:
        channel_id: The channel whose prices and stock are shown; None where the shop has no channel yet.
        locale: BCP 47 tag of the translation wanted; None for the shop's own texts.
    """

    channel_id: uuid.UUID | None
    locale: str | None


@dataclasses.dataclass(slots=True)
class Context:
    """What an operation runs with; made for one operation, never for a socket.

    Attributes:
        shop: The tenant.
        actor: Who asks.
        database: Reads and writes of this shop only.
        loaders: Batched reads of this operation.
        clock: The time source.
        deadline: When the operation must have ended.
        scopes: Channel and locale of each root field, by response key.
    """

    shop: Shop
    actor: Actor
    database: Database
    loaders: Loaders
    clock: Clock
    deadline: datetime
    scopes: dict[str, Scope] = dataclasses.field(default_factory=dict)
