"""One subscription of one client: what it has got, what it owes, and whether it may get more."""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from core.errors import RequestError, Throttled
from engine.errors import INTERNAL, INTERNAL_MESSAGE, Failure
from resolvers.feeds import Feed
from schema.cost import OPENING
from server.entrance import Caller
from server.limits import Payer
from server.live.audiences import audience_of
from server.live.hub_metrics import HubStatistics
from server.live.payloads import Payload

BROKEN: Final = Failure(INTERNAL_MESSAGE, INTERNAL)
"""Ends a subscription for an error of ours."""

if TYPE_CHECKING:
    from server.live.shared import Shared

Parcel = Sequence[tuple[Payload, int]]
"""Messages in their order, and what each of them costs who gets it."""

CREDIT: Final = (5, 15)
"""Points that a subscription may owe before it gets no more, least and most. It differs from one to the next, so that
thousands do not ask for their budgets in the same moment; what is owed in the end is charged in the end."""


PATIENCE_SECONDS: Final = 30.0
"""How long one who catches up may wait for the points of one message; others of his budget may take them first."""

PAUSE_SECONDS: Final = 0.25
"""Between two looks whether they are there: one who catches up over hours is not to ask all the time."""

COMING_AGAIN: Final = OPENING + 20
"""Points that are to be there when one whose budget was spent comes again: for the opening, and some messages."""

COMING_AGAIN_MS: Final = 1_000
"""How long he stays away at least."""


class Subscriber(Protocol):
    """Whoever brings messages to a client."""

    @property
    def caller(self) -> Caller:
        """Who asks; another one once the client has brought another token."""

    def deliver(self, sequence: int | None, payload: bytes) -> None:
        """Bring a result, as JSON; returns at once and raises nothing.

        Args:
            sequence: What to resume after, once it has arrived.
            payload: The result.
        """

    async def drained(self) -> None:
        """Wait until the client has read enough for more of what is past; returns at once where it is fast enough."""

    def finish(self, failures: Sequence[Failure]) -> None:
        """Tell that no more comes, and why; none for an end that nobody is to blame for."""


class Callers(Protocol):
    """Knows whether callers are still good."""

    def known(self, caller: Caller) -> Caller | None:
        """Return the caller as he is now; None where that has to be looked up."""

    async def again(self, caller: Caller) -> Caller:
        """Look the caller up; may raise `RequestError`."""


class Subscription:
    """A subscription that is open.

    Attributes:
        caller: Who asks, as it was known when the last message was brought.
        cursor: The last sequence that he has heard of; what he hears live is beyond.
        shared: With whom he shares his messages; None while he joins them.
        feed: Followed for him.
        is_closed: Whether he gets no more.
    """

    __slots__ = (
        "_callers",
        "_credit",
        "_debt",
        "_on_close",
        "_payer",
        "_statistics",
        "caller",
        "cursor",
        "feed",
        "is_closed",
        "joining",
        "shared",
        "subscriber",
    )

    def __init__(  # noqa: PLR0913  (all that it needs)
        self,
        subscriber: Subscriber,
        caller: Caller,
        *,
        cursor: int,
        feed: Feed,
        payer: Payer | None,
        callers: Callers,
        on_close: "Callable[[Subscription], None]",
        statistics: HubStatistics,
    ) -> None:
        self.subscriber = subscriber
        self.caller = caller
        self.cursor = cursor
        self.feed = feed
        self.shared: Shared | None = None
        self.joining: asyncio.Task[None] | None = None
        self.is_closed = False
        self._payer = payer
        self._callers = callers
        self._on_close = on_close
        self._statistics = statistics
        self._debt = 0
        self._credit = random.randint(*CREDIT)  # noqa: S311  (no secret)

    @property
    def sequence(self) -> int:
        """What the client is to resume after: all that was to be heard up to it was delivered."""
        shared = self.shared
        is_live = shared is not None and self in shared.members
        return max(self.cursor, shared.done) if is_live and shared is not None else self.cursor

    @property
    def owes(self) -> bool:
        """Whether something has been delivered that is not paid for."""
        return self._payer is not None and self._debt > 0

    def close(self) -> None:
        """End the subscription without a word to the client; further calls have no effect."""
        if self.is_closed:
            return
        self.cursor = self.sequence
        self.is_closed = True
        if self.joining is not None and self.joining is not asyncio.current_task():
            self.joining.cancel()
        self._on_close(self)

    def end(self, *failures: Failure) -> None:
        """End the subscription and tell the client; with failures there is what to resume after."""
        if self.is_closed:
            return
        self.close()
        self._statistics.ended(failures[0].code if failures else "")
        resume = {"sequence": str(self.cursor)}
        self.subscriber.finish(
            [Failure(each.message, each.code, extensions={**each.extensions, **resume}) for each in failures]
        )

    def refuse(self, refusal: RequestError) -> None:
        """End the subscription since the client may not go on."""
        extensions = refusal.extensions
        if isinstance(refusal, Throttled):
            extensions = {**extensions, "retryAfterMs": self._away_ms(refusal)}
        self.end(Failure(refusal.message, refusal.code, extensions=extensions))

    def break_off(self, error: BaseException) -> None:
        """End the subscription for an error that nobody thought of, and report it."""
        report_trouble(error)
        self.end(BROKEN)

    def offer(self, payload: Payload, points: int) -> bool:
        """Deliver a message, if nobody has to be asked before; tell whether that was so."""
        caller = self._callers.known(self.subscriber.caller)
        if caller is not self.caller:
            if caller is None or audience_of(caller) != audience_of(self.caller):
                return False
            self.caller = caller
        if self._payer is not None and not self._pays(self._payer, points):
            return False
        self._hand_over(payload)
        return True

    def offer_all(self, parcel: Parcel) -> Parcel:
        """Deliver what has not been heard of yet, as far as nobody has to be asked; return what is left."""
        for place, (payload, points) in enumerate(parcel):
            if self.is_closed:
                break
            if payload.sequence > self.cursor and not self.offer(payload, points):
                return parcel[place:]
        return ()

    async def offer_slowly(self, payload: Payload, points: int) -> Caller | None:
        """Deliver a message once all is known, or end the subscription.

        Returns:
            The caller where he sees other things by now: then it was not delivered, and he has to join others.
        """
        try:
            caller = await self._callers.again(self.subscriber.caller)
            if self.is_closed:
                return None
            if audience_of(caller) != audience_of(self.caller):
                return caller
            self.caller = caller
            if self._payer is not None and self._debt + points > self._credit:
                await self._payer.draw_slowly(self._debt + points)
                self._debt = -points
        except RequestError as refusal:
            self.refuse(refusal)
            return None
        if not self.is_closed:
            self._debt += points
            self._hand_over(payload)
        return None

    async def afford(self, points: int) -> None:
        """Let a message of the past, or the work for it, be paid for: wait for points where there are none left.

        Ends the subscription where that takes too long.
        """
        payer, need = self._payer, self._debt + points
        if payer is None or need <= self._credit:
            return
        try:
            if not payer.draw(need):
                await self._draw_in_time(payer, need)
        except RequestError as refusal:
            self.refuse(refusal)
            return
        self._debt = -points

    async def pay(self, points: int) -> None:
        """Pay for work that brings no message by itself, as `afford` does."""
        await self.afford(points)
        if not self.is_closed:
            self._debt += points

    async def pay_debt(self) -> None:
        """Pay what is owed in the end, if it can be paid."""
        if self._payer is None or self._debt <= 0:
            return
        debt, self._debt = self._debt, 0
        if not self._payer.draw(debt):
            try:
                await self._payer.draw_slowly(debt)
            except RequestError:
                # Whoever has nothing left pays for the next thing that he wants.
                return

    async def _draw_in_time(self, payer: Payer, points: int) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                await payer.draw_slowly(points)
            except Throttled as refusal:
                pause = max(PAUSE_SECONDS, refusal.retry_after_ms / 1_000)
                if loop.time() + pause > until:
                    raise
            else:
                return
            await asyncio.sleep(pause)

    def _away_ms(self, refusal: Throttled) -> int:
        """Return after how long it is worth while to subscribe again: opening costs more than the next message."""
        per_second = 1 if self._payer is None else self._payer.throttle_status()["restoreRate"]
        return max(COMING_AGAIN_MS, refusal.retry_after_ms + math.ceil(1_000 * COMING_AGAIN / per_second))

    def _hand_over(self, payload: Payload) -> None:
        self.cursor = max(self.cursor, payload.sequence)
        self._statistics.delivered += 1
        self.subscriber.deliver(payload.sequence, payload.body)

    def _pays(self, payer: Payer, points: int) -> bool:
        self._debt += points
        if self._debt <= self._credit:
            return True
        if payer.draw(self._debt):
            self._debt = 0
            return True
        self._debt -= points
        return False


def is_cancelled() -> bool:
    """Tell whether the running task shall end, rather than something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def report_trouble(error: BaseException) -> None:
    """Report an error that nobody thought of, and that ends a subscription."""
    trouble = {"message": "events could not be told", "exception": error}
    asyncio.get_running_loop().call_exception_handler(trouble)
