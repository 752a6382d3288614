"""One HTTP request with its answer: what is known of it, and the answers that follow from that."""

import dataclasses
import random
import re
import time
from http import HTTPStatus
from typing import Any

from starlette.types import Scope

from core.errors import DeadlineExceeded, RequestError
from engine.errors import INTERNAL, INTERNAL_MESSAGE, Failure, Verdict
from server.addresses import Proxies
from server.graphql.answers import (
    Answer,
    data_answer,
    failed_answer,
    priced_answer,
    refused_answer,
    result_answer,
    stopped_answer,
)
from server.graphql.caching import Kept
from server.graphql.contexts import OperationContext, RequestView, headers_of
from server.graphql.costs import Costs
from server.graphql.negotiation import JSON, Streaming
from server.graphql.refusals import BodyLate
from server.graphql.seen import Key
from server.limits import Payer
from server.observability import Observation, observation_of

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
CHARACTERS_A_POINT = 250
"""Looking at so much of a document for the first time takes about as long as reading an object."""

COST_OF_HIT = 1
"""Points; the work was paid for by whoever asked first."""

_TOO_LATE = "The operation took longer than it may; ask for less, or try again later."


@dataclasses.dataclass(slots=True)
class Exchange:
    """One request and what is known of it so far.

    Attributes:
        headers: Of the request, by lower-case name.
        request_id: The client's own where it is well-formed, else a new one.
        observation: What the log and the metrics will say.
        media_type: Of the answer; `application/json` until the client's wish is known.
        streaming: Whether the client wants a stream of events.
        is_read: Whether all of the request has arrived.
        is_executing: Whether execution has begun.
        context: What the operation runs with, once it is open.
        costs: What the operation costs, once it is priced.
        spent: What it did cost, once it is done.
        kept: What is kept of the answer, once it is known that it may be.
        payer: Who pays, once it is known who asks.
        seen_as: What the request is known by when it comes again.
    """

    scope: Scope
    headers: dict[str, str]
    request_id: str
    observation: Observation
    media_type: str = JSON
    streaming: Streaming = Streaming.NEVER
    is_read: bool = False
    is_executing: bool = False
    context: OperationContext | None = None
    costs: Costs | None = None
    spent: int | None = None
    kept: Kept | None = None
    payer: Payer | None = None
    seen_as: Key | None = None

    @classmethod
    def of(cls, scope: Scope) -> "Exchange":
        """Begin with what the first line and the headers say."""
        headers = headers_of(scope)
        wanted = headers.get("x-request-id", "")
        request_id = wanted if wanted and _REQUEST_ID.fullmatch(wanted) else new_request_id()
        observation = observation_of(scope)
        observation.request_id = request_id
        return cls(scope, headers, request_id, observation)

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "")

    def view(self, proxies: Proxies) -> RequestView:
        """Return what others may see of the request."""
        client = self.scope.get("client")
        address = proxies.client_address(client[0] if client else None, self.headers)
        return RequestView(self.request_id, self.method, self.headers, address)

    async def charge(self, costs: Costs) -> None:
        """Let the operation be paid for; see `Payer.charge`."""
        self.costs = costs
        if self.payer is not None:
            await self.payer.charge(costs.requested)

    async def charge_least(self, characters: int = 0) -> None:
        """Let the request be paid for that runs no operation, or may turn out to, unless something was paid already.

        Args:
            characters: Of a document that has to be parsed and validated, which is work even where it is wrong.
        """
        if self.payer is not None and not self.payer.is_asked:
            await self.payer.charge(1 + characters // CHARACTERS_A_POINT)

    def settle_least(self) -> None:
        """Give back what was charged for an operation that does not begin, all but what any request costs."""
        self._settle(0)

    def _settle(self, points: int) -> None:
        self.spent = points
        if self.payer is not None:
            self.payer.settle(points)

    def budget_headers(self) -> dict[str, str]:
        """Return what the answer says of the client's budget; nothing where caches outside may keep it for others."""
        if self.payer is None or not self.payer.is_asked or (self.kept is not None and self.method == "GET"):
            return {}
        return self.payer.headers()

    def result(self, data: object, failures: list[Failure]) -> Answer:
        """Answer with the result of an execution.

        What leaves no data behind may have been all the work, so it costs what was requested.
        """
        if self.costs is not None:
            self._settle(self.costs.requested if data is None else self.costs.actual(data))
        return result_answer(data, failures, self._extensions(), media_type=self.media_type, request_id=self.request_id)

    def _extensions(self) -> dict[str, Any]:
        if self.costs is None:
            return {}
        cost = self.costs.extension(self.spent)
        # What is asked by GET is asked again by its tag, which the budget of the moment must not change.
        if self.payer is not None and self.method != "GET":
            cost["throttleStatus"] = self.payer.throttle_status()
        return {"cost": cost}

    def priced(self, costs: Costs) -> Answer:
        """Answer with what the operation would cost."""
        extensions = {"cost": costs.extension(None)}
        return priced_answer(extensions, media_type=self.media_type, request_id=self.request_id)

    def unchanged(self, kept: Kept, *, shows_cache: bool) -> Answer:
        """Answer with data that is kept.

        What was executed for somebody else costs a point. By GET there are no extensions, so that the bytes are the
        same each time and have one tag.

        Args:
            kept: The data.
            shows_cache: Whether developers look on.
        """
        self.kept = kept
        if kept.is_hit and self.costs is not None:
            self._settle(min(COST_OF_HIT, self.costs.requested))
        extensions = {} if self.method == "GET" else self._extensions()
        if shows_cache and self.method != "GET":
            extensions["cache"] = kept.described()
        return data_answer(kept.data, extensions, media_type=self.media_type, request_id=self.request_id)

    def failed(self, *failures: Failure) -> Answer:
        """Answer that the document, its operation or its variables cannot be executed."""
        self._settle(0)
        return failed_answer(failures, media_type=self.media_type, request_id=self.request_id)

    def refused(self, refusal: RequestError) -> Answer:
        """Answer that the request is refused as a whole."""
        return refused_answer(refusal, media_type=self.media_type, accept=self.accept, request_id=self.request_id)

    def broken(self) -> Answer:
        """Answer that something unexpected happened, and nothing about what."""
        return stopped_answer(
            Failure(INTERNAL_MESSAGE, INTERNAL),
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            media_type=self.media_type,
            accept=self.accept,
            request_id=self.request_id,
        )

    def late(self) -> Answer:
        """Answer that the time is up, in the form of the stage that was reached."""
        if not self.is_read:
            return self.refused(BodyLate("The body did not arrive in time; send it at once."))
        if not self.is_executing:
            return self.refused(DeadlineExceeded(_TOO_LATE))
        return self.result(None, [Failure(_TOO_LATE, DeadlineExceeded.code)])

    def note(self, answer: Answer) -> None:
        """Fill in what the log and the metrics will say."""
        observation = self.observation
        observation.code = answer.code
        if self.context is not None:
            observation.shop = self.context.shop.slug
            observation.actor = self.context.actor.kind
            observation.statements = self.context.database.statistics.statements


def new_request_id() -> str:
    """Name a request: its time and 64 random bits. It need not be hard to guess, only unlikely to come twice."""
    return f"{time.time_ns():016x}{random.getrandbits(64):016x}"


def verdict_of(error: BaseException) -> Verdict | None:
    """Tell what a client may hear of an exception: all of a refusal, nothing of anything else."""
    if isinstance(error, RequestError):
        return Verdict(error.message, error.code, error.extensions)
    return None
