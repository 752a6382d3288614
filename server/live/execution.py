"""The execution of an operation for one event after the other, the same for all who share it."""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable, Hashable, Sequence
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

_Result = TypeVar("_Result")


class Undeliverable(GalleriaError):
    """A message could not be made, though it was tried for some time."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How the messages of equal subscriptions are made.

    Attributes:
        identity: Of all subscriptions that get the same.
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
    chosen: Chosen
    variables: dict[str, Any]
    source: Source
    caller: Caller
    open_context: Callable[[Caller], Context]
    payloads: Payloads
    report: Report
    statistics: HubStatistics

    async def of_event(self, event: Event) -> tuple[Made, bool]:
        """Return what is told of an event, and whether it had been made already.

        Raises:
            Undeliverable: The database cannot be read.
        """
        return await self.payloads.get((self.identity, event.sequence), lambda: self._made_of_event(event))

    async def of_gap(self, after: int, last: int) -> tuple[Made, bool]:
        """Return what is told in place of the events after one, up to another, that are no longer kept.

        Raises:
            Undeliverable: The database cannot be read.
        """
        return await self.payloads.get((self.identity, after, last), lambda: self._made_of_gap(after, last))

    async def _made_of_event(self, event: Event) -> Made:
        if self.source.look is not None and not await self._may_be_heard(event):
            return ()
        return (await self._payload(self.source.message(event)),)

    async def _made_of_gap(self, after: int, last: int) -> Made:
        messages = await self._persist(lambda context: self.source.gap(context, after, last))
        return tuple([await self._payload(each) for each in messages])

    async def _may_be_heard(self, event: Event) -> bool:
        """Find out whether an event may be heard of: once for all who see it in the same way."""
        look, source = self.source.look, self.source
        assert look is not None  # noqa: S101  (narrows the type)
        shop_id = self.caller.shop.id

        async def find() -> Made:
            found = await self._persist(lambda context: look(context, event))
            return _HEARD if found else ()

        key: Hashable = (shop_id, source.sight, event.sequence)
        return bool((await self.payloads.get(key, find))[0])

    async def _payload(self, message: Message | Gap) -> Payload:
        result = await self._persist(lambda context: self._executed(context, message))
        self.statistics.made += 1
        costs = self.chosen.costs
        data = result.data
        requested = max(1, costs.requested - OPENING)
        points = requested if data is None else max(1, costs.actual(data) - OPENING)
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

    async def _executed(self, context: Context, message: Message | Gap) -> ExecutionResult:
        result = await self.chosen.operation.executable.execute(self.variables, context=context, root_value=message)
        unavailable = _unavailable(result.errors or ())
        if unavailable is not None:
            raise unavailable
        return result

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
