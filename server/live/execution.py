"""The execution of an operation for one event after the other, the same for all who share it."""

import asyncio
import dataclasses
import functools
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import orjson
from graphql import ExecutionResult

from core.errors import DeadlineExceeded, GalleriaError, Overloaded
from engine.errors import cause_of, result_failures
from resolvers.context import Context
from resolvers.feeds import Event
from resolvers.live import Gap, Message, Source
from schema.cost import OPENING
from server.entrance import Caller
from server.graphql.exchanges import new_request_id, verdict_of
from server.graphql.operating import Chosen, Report
from server.live.hub_metrics import HubStatistics
from server.live.payloads import Made, Payload, Payloads

PAUSES_SECONDS: Final = (0.1, 0.5, 2.0)
"""Before a message that the database could not be read for is made again."""

DEADLINE_SECONDS: Final = 10.0

EVENTS_AT_ONCE: Final = 100
"""Events whose messages are made together, of those that have gathered; one that comes alone waits for no other."""

POINTS_AT_ONCE: Final = 5_000
"""What messages that are made together may cost, as much as one operation of staff."""

_Result = TypeVar("_Result")


class Undeliverable(GalleriaError):
    """A message could not be made, though it was tried for some time."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How the messages of equal subscriptions are made.

    Attributes:
        identity: Of all subscriptions that hear the same.
        form: Of all that are told the same of an event that they hear; they may hear of others beside.
        chosen: The operation.
        variables: As one of the clients sent them; `after` of one is as good as that of another.
        source: Where messages come from.
        caller: As whom the operation is executed: without a subject, unless it is for one actor alone.
        open_context: Opens what a message is read with.
        payloads: Of all executions.
        report: Told of unexpected exceptions.
        statistics: Of the hub.
    """

    identity: bytes
    form: bytes
    chosen: Chosen
    variables: dict[str, Any]
    source: Source
    caller: Caller
    open_context: Callable[[Caller], Context]
    payloads: Payloads
    report: Report
    statistics: HubStatistics

    @property
    def at_once(self) -> int:
        """For how many events messages may be made together."""
        return max(1, min(EVENTS_AT_ONCE, POINTS_AT_ONCE // self._requested))

    async def of_events(self, events: Sequence[Event]) -> tuple[Sequence[Made], Sequence[bool]]:
        """Return what is told of each event, and whether it had been made already.

        Args:
            events: No more than `at_once`.

        Raises:
            Undeliverable: The database cannot be read.
        """

        async def make(places: Sequence[int]) -> Sequence[Made]:
            return await self._made_of_events([events[place] for place in places])

        return await self.payloads.get([(self.form, event.sequence) for event in events], make)

    async def of_gap(self, after: int, last: int) -> tuple[Made, bool]:
        """Return what is told in place of the events after one, up to another, that are no longer kept.

        Raises:
            Undeliverable: The database cannot be read.
        """

        async def make(_: Sequence[int]) -> Sequence[Made]:
            messages = await self._persist(lambda context: self.source.gap(context, after, last))
            return [tuple(await self._payloads(messages))]

        [made], [is_hit] = await self.payloads.get([(self.identity, after, last)], make)
        return made, is_hit

    async def _made_of_events(self, events: Sequence[Event]) -> Sequence[Made]:
        heard = await self._may_be_heard(events)
        messages = [self.source.message(event) for event in itertools.compress(events, heard)]
        payloads = iter(await self._payloads(messages))
        return [(next(payloads),) if may_be else () for may_be in heard]

    async def _may_be_heard(self, events: Sequence[Event]) -> Sequence[bool]:
        """Find out which events may be heard of: once for all who see them in the same way."""
        look, source = self.source.look, self.source
        if look is None:
            return [True] * len(events)

        async def find(places: Sequence[int]) -> Sequence[Made]:
            asked = [events[place] for place in places]
            return [_HEARD if each else () for each in await self._persist(lambda context: look(context, asked))]

        shop_id = self.caller.shop.id
        found, _ = await self.payloads.get([(shop_id, source.sight, event.sequence) for event in events], find)
        return [bool(each) for each in found]

    async def _payloads(self, messages: Sequence[Message | Gap]) -> Sequence[Payload]:
        payloads: list[Payload] = []
        for begin in range(0, len(messages), self.at_once):
            some = messages[begin : begin + self.at_once]
            results = await self._persist(functools.partial(self._executed, messages=some))
            payloads += map(self._payload, some, results)
        return payloads

    def _payload(self, message: Message | Gap, result: ExecutionResult) -> Payload:
        self.statistics.made += 1
        data, requested = result.data, self._requested
        points = requested if data is None else max(1, self.chosen.costs.actual(data) - OPENING)
        told: dict[str, Any] = {}
        if result.errors:
            request_id = new_request_id()
            failures = result_failures(
                result.errors, classify=verdict_of, report=lambda error: self.report(error, request_id)
            )
            told["errors"] = [failure.formatted(request_id) for failure in failures]
        told["data"] = data
        told["extensions"] = {"cost": {"requestedQueryCost": requested, "actualQueryCost": points}}
        return Payload(message.sequence, orjson.dumps(told), points)

    @property
    def _requested(self) -> int:
        """What a message may cost."""
        return max(1, self.chosen.costs.requested - OPENING)

    async def _executed(self, context: Context, messages: Sequence[Message | Gap]) -> Sequence[ExecutionResult]:
        executable = self.chosen.operation.executable
        results = await executable.execute_each(self.variables, messages, context=context)
        unavailable = _unavailable([error for result in results for error in result.errors or ()])
        if unavailable is not None:
            raise unavailable
        return results

    async def _persist(self, read: Callable[[Context], Awaitable[_Result]]) -> _Result:
        """Read in a context of its own, again for some time where the database does not answer."""
        for pause in (*PAUSES_SECONDS, None):
            context = self.open_context(self.caller)
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    return await read(context)
            except (Overloaded, DeadlineExceeded, TimeoutError) as error:
                if pause is None:
                    raise Undeliverable("The database cannot be read.") from error
            finally:
                await context.close()
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  (jitter is no secret)
        raise Undeliverable("The database cannot be read.")


_HEARD: Final = (Payload(0, b"", 0),)


def _unavailable(errors: Sequence[Any]) -> BaseException | None:
    """Return what heals by itself among the errors of an execution."""
    for error in errors:
        cause = cause_of(error)
        if isinstance(cause, Overloaded | DeadlineExceeded):
            return cause
    return None
