"""What the endpoint shows of a request, and what it needs of a context; both sides of one seam."""

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.types import Scope


@dataclasses.dataclass(frozen=True, slots=True)
class RequestView:
    """What the endpoint shows of a request to whoever finds out who asks.

    Attributes:
        request_id: Names the request in logs and answers.
        method: GET or POST.
        headers: By lower-case name; several of one name are joined by a comma, as HTTP has it.
        address: Network address of the client, as the server sees it; None on a Unix socket.
    """

    request_id: str
    method: str
    headers: Mapping[str, str]
    address: str | None


class ShopView(Protocol):
    """The tenant, as far as the endpoint cares."""

    @property
    def id(self) -> uuid.UUID:
        """Key of everything that is kept for the shop."""

    @property
    def slug(self) -> str:
        """Name of the shop in logs."""


class ActorView(Protocol):
    """The caller, as far as the endpoint cares."""

    @property
    def kind(self) -> str:
        """Which kind of caller."""

    @property
    def subject(self) -> str | None:
        """Its identity within the shop; None for one that is not signed in."""


class StatisticsView(Protocol):
    """What an operation has asked of the database so far."""

    @property
    def statements(self) -> int:
        """SQL statements."""

    @property
    def rows(self) -> int:
        """Rows that came back."""


class DatabaseView(Protocol):
    """The database of an operation."""

    @property
    def statistics(self) -> StatisticsView:
        """What was asked so far."""


class OperationContext(Protocol):
    """What an operation runs with, as far as the endpoint cares."""

    @property
    def shop(self) -> ShopView:
        """The tenant."""

    @property
    def actor(self) -> ActorView:
        """Who asks."""

    @property
    def database(self) -> DatabaseView:
        """Reads and writes of this shop."""

    async def close(self) -> None:
        """End the operation, and give back what it holds."""


class CallerView(Protocol):
    """Who asks and for which shop."""

    @property
    def shop(self) -> ShopView:
        """The tenant."""

    @property
    def actor(self) -> ActorView:
        """Who asks."""


class OperationEntrance(Protocol):
    """Where requests come in."""

    async def identify(self, view: RequestView) -> Any:
        """Find out who asks, and for which shop: a `CallerView`; may raise `RequestError`."""

    def shop_of(self, authorization: str | None, shop: str | None, host: str | None) -> uuid.UUID | None:
        """Return the shop that headers meant when they were last seen; None where that is not remembered."""

    def open(self, caller: Any) -> OperationContext:
        """Open what one operation runs with."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by lower-case name; several of one name are joined by a comma."""
    given = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in given}
    if len(headers) == len(given):
        return headers
    headers = {}
    for name, value in given:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
