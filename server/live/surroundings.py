"""What all sockets of a process share."""

import dataclasses

from core.clock import Clock
from server.graphql.operating import Operations
from server.live.bounds import Bounds
from server.live.crowds import Crowd
from server.live.operation import Follows
from server.live.slots import Slots
from server.live.socket_metrics import SocketMetrics
from server.metrics import Metrics


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all sockets of a process share.

    Attributes:
        operations: Serves what is asked.
        hub: Opens subscriptions; None where there are none.
        bounds: What there may be of everything.
        slots: How many operations each client has.
        crowd: How many sockets and streams there are.
        metrics: Of operations.
        socket_metrics: Of sockets.
        clock: What the ends of tokens are compared with.
    """

    operations: Operations
    hub: Follows | None
    bounds: Bounds
    slots: Slots
    crowd: Crowd
    metrics: Metrics
    socket_metrics: SocketMetrics
    clock: Clock
