"""How many operations run at the same time: as many as do not wait for each other.

What is looked at is the time that running operations wait for a turn of the event loop and for a connection to the
database, and not how long they take: that differs between operations by a factor of a hundred, and a slow database is
no reason to serve fewer as long as nobody queues for it. Source: Zhou et al., "Overload Control for Scaling WeChat
Microservices" (SoCC 2018), section 4.1, which finds waiting the better sign than the time of answers. The limit then
moves as a TCP window does (RFC 5681): a little up while it is reached, by a part down when there is waiting.
"""

TARGET_SECONDS = 0.05
"""How long operations may wait; ten times that is still an answer well within a second."""

START = 64
"""Operations at first, and again after a quiet time. One core is busy with some ten: most of them wait for data."""

HIGHEST = 1_000
_DECREASE = 0.9
_SLOWNESS = 20
"""A limit grows by one and a twentieth at each look."""


class Limit:
    """The most operations that may run at the same time.

    Args:
        fixed: A limit that never changes; None to find it.
        lowest: It is never less: as many as may use the database at the same time, or its connections would idle.

    Attributes:
        value: What it is now.
    """

    __slots__ = ("_is_fixed", "_lowest", "value")

    def __init__(self, fixed: int | None = None, *, lowest: int = 1) -> None:
        self._is_fixed = fixed is not None
        self._lowest = lowest
        self.value = max(START, lowest) if fixed is None else fixed

    def judge(self, waited_seconds: float, *, in_flight: int, was_reached: bool) -> None:
        """Take note of how long operations wait.

        Args:
            waited_seconds: For a turn or a connection, at this moment.
            in_flight: How many run.
            was_reached: Whether somebody had to wait since the last look because of the limit.
        """
        if self._is_fixed:
            return
        if waited_seconds > TARGET_SECONDS:
            # A single operation that takes long is no reason to let others wait.
            if 2 * in_flight >= self.value:
                self.value = max(self._lowest, int(self.value * _DECREASE))
        elif was_reached or self.value < START:
            most = HIGHEST if was_reached else START
            self.value = min(most, self.value + 1 + self.value // _SLOWNESS)
