"""How many sockets each address has open, of clients that are not signed in, or may not be."""

from collections import Counter


class Crowd:
    """Counts the sockets of a process by address.

    Args:
        anonymous: Sockets of clients that are not signed in, from one address, at most.
        pending: Sockets of clients that have not introduced themselves, likewise.
    """

    def __init__(self, *, anonymous: int, pending: int) -> None:
        self._at_most = {True: anonymous, False: pending}
        self._counts: Counter[tuple[str, bool]] = Counter()

    @property
    def addresses(self) -> int:
        """How many addresses have such sockets, each counted once for either kind."""
        return len(self._counts)

    def enter(self, address: str, *, is_anonymous: bool) -> bool:
        """Count a socket, and tell whether it may be."""
        self._counts[address, is_anonymous] += 1
        return self._counts[address, is_anonymous] <= self._at_most[is_anonymous]

    def leave(self, address: str, *, is_anonymous: bool) -> None:
        """Count a socket no more."""
        self._counts[address, is_anonymous] -= 1
        if not self._counts[address, is_anonymous]:
            del self._counts[address, is_anonymous]


class Place:
    """The place of one socket in the crowd: it has not introduced itself, is anonymous, or is signed in.

    Args:
        crowd: All of them.
        address: Of the client.

    Attributes:
        is_free: Whether the crowd has room for it.
    """

    __slots__ = ("_address", "_crowd", "_is_anonymous", "is_free")

    def __init__(self, crowd: Crowd, address: str) -> None:
        self._crowd = crowd
        self._address = address
        self._is_anonymous: bool | None = False
        self.is_free = crowd.enter(address, is_anonymous=False)

    def settle(self, *, is_anonymous: bool) -> None:
        """Take note of whether the client has signed in."""
        self.leave()
        if is_anonymous:
            self._is_anonymous = True
            self.is_free = self._crowd.enter(self._address, is_anonymous=True)

    def leave(self) -> None:
        """Give up the place."""
        if self._is_anonymous is not None:
            self._crowd.leave(self._address, is_anonymous=self._is_anonymous)
            self._is_anonymous = None
