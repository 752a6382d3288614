"""What sockets leave behind in the metrics."""

import dataclasses

from server.metrics import OTHER, Metrics
from server.tallies import Level, Tally

CLOSES = frozenset({1000, 1001, 1005, 1006, 1009, 1012, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429})
"""The codes that are counted by themselves; clients may invent others."""


@dataclasses.dataclass(frozen=True, slots=True)
class SocketMetrics:
    """The metrics of all sockets of a process.

    Attributes:
        sockets: Open ones.
        operations: Running on them.
        closes: Sockets closed, by code, whoever closed them.
        overruns: Sockets closed since their clients read too slowly.
    """

    sockets: Level
    operations: Level
    closes: Tally
    overruns: Tally

    @classmethod
    def of(cls, metrics: Metrics) -> "SocketMetrics":
        """Return metrics that stand at zero, as part of those of a process."""
        made = cls(
            Level("galleria_sockets_open", "Open WebSockets."),
            Level("galleria_socket_operations_open", "Operations that run on WebSockets."),
            Tally("galleria_socket_closes", "WebSockets closed.", ("code",)),
            Tally("galleria_socket_overruns", "WebSockets closed for reading too slowly.", ()),
        )
        for each in (made.sockets, made.operations, made.closes, made.overruns):
            metrics.registry.register(each)
        return made

    def closed(self, code: int) -> None:
        """Count a socket that was closed."""
        self.closes.add((str(code) if code in CLOSES else OTHER,))
