"""How many sockets and streams there are: of a process, of each client, and of each address without a name."""

import enum
from collections import Counter
from collections.abc import Hashable
from types import MappingProxyType
from typing import Final

from server.live.bounds import Bounds
from server.tallies import Tally


class Standing(enum.Enum):
    """What is known of whoever is at the other end; `ANYBODY` stands for all of them."""

    ANYBODY = "process"
    PENDING = "pending"
    ANONYMOUS = "anonymous"
    SIGNED_IN = "client"


FULL: Final = MappingProxyType(
    {
        Standing.ANYBODY: "This server has too many connections; connect again, in a moment.",
        Standing.PENDING: "Too many sockets from this address have not introduced themselves; try again later.",
        Standing.ANONYMOUS: "Too many sockets from this address are not signed in; sign in, or try again later.",
        Standing.SIGNED_IN: "Too many sockets of this client are open; close some, or try again later.",
    }
)
"""What a socket is told for which there is no room."""


class Crowd:
    """Counts the sockets and streams of a process.

    Args:
        bounds: How many there may be.

    Attributes:
        refused: Those for which there was no room, by the bound.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._at_most = {
            Standing.ANYBODY: bounds.sockets,
            Standing.PENDING: bounds.pending_sockets,
            Standing.ANONYMOUS: bounds.anonymous_sockets,
            Standing.SIGNED_IN: bounds.sockets_per_client,
        }
        self._counts: Counter[tuple[Standing, Hashable]] = Counter()
        self.refused = Tally(
            "galleria_connections_refused", "WebSockets and streams for which there was no room, by bound.", ("bound",)
        )

    def __len__(self) -> int:
        return self._counts[Standing.ANYBODY, None]

    def enter(self, standing: Standing, who: Hashable) -> bool:
        """Count one, and tell whether it may be."""
        self._counts[standing, who] += 1
        may_be = self._counts[standing, who] <= self._at_most[standing]
        if not may_be:
            self.refused.add((standing.value,))
        return may_be

    def leave(self, standing: Standing, who: Hashable) -> None:
        """Count one no more."""
        self._counts[standing, who] -= 1
        if not self._counts[standing, who]:
            del self._counts[standing, who]


class Place:
    """The place of one socket, or stream, in the crowd.

    Args:
        crowd: All of them.

    Attributes:
        full: Of what there are too many for it to stay; None where there is room.
    """

    __slots__ = ("_crowd", "_has_left", "_standing", "_who", "full")

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._standing: Standing | None = None
        self._who: Hashable = None
        self._has_left = False
        self.full = None if crowd.enter(Standing.ANYBODY, None) else Standing.ANYBODY

    def settle(self, standing: Standing, who: Hashable) -> None:
        """Take note of what is known by now.

        Args:
            standing: See `Standing`.
            who: What is counted together: an address, or a client.
        """
        if self.full is Standing.ANYBODY:
            return
        self._give_up()
        self._standing, self._who = standing, who
        self.full = None if self._crowd.enter(standing, who) else standing

    def leave(self) -> None:
        """Give up the place; further calls have no effect."""
        if self._has_left:
            return
        self._has_left = True
        self._give_up()
        self._crowd.leave(Standing.ANYBODY, None)

    def _give_up(self) -> None:
        if self._standing is not None:
            self._crowd.leave(self._standing, self._who)
            self._standing = None
