"""GraphQL over HTTP: POST and GET, one operation a request; answered at once, or by a stream of events."""

import dataclasses
from typing import Any

from starlette.types import Receive, Scope, Send

from core.errors import BadRequest, RequestError
from server.admission.gate import ADMITTED, leave
from server.graphql.answers import Answer, with_draft_status, with_validator
from server.graphql.bodies import read_body
from server.graphql.caching import with_age
from server.graphql.exchanges import Exchange
from server.graphql.negotiation import Streaming, check_content, negotiate, streaming_of
from server.graphql.operating import Chosen, Operations
from server.graphql.refusals import MethodNotAllowed
from server.graphql.requests import GraphQLRequest, read_json, read_query_string
from server.graphql.watching import ClientLeft, TimeUp, Watch
from server.live.framing import as_events
from server.live.sse import Streams
from server.live.stream import Stream

PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
"""Headers that no page of another origin can send without the browser asking us first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How the endpoint behaves.

    Attributes:
        body_limit_bytes: The longest body.
        deadline_seconds: From the arrival of a request to its answer.
        draft_statuses: Use the status codes 422 and 294 of the draft with the draft's media type.
        max_age_seconds: For how long caches outside may keep what everybody gets by the same address.
    """

    body_limit_bytes: int = 1_000_000
    deadline_seconds: float = 10.0
    draft_statuses: bool = False
    max_age_seconds: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLEndpoint:
    """The ASGI application behind the route of an endpoint: `Route("/graphql", endpoint=GraphQLEndpoint(...))`.

    Attributes:
        operations: Serves what is asked.
        settings: How the endpoint behaves.
        streams: Serves subscriptions; None where there are none.
    """

    operations: Operations
    settings: HttpSettings = dataclasses.field(default_factory=HttpSettings)
    streams: Streams | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        exchange = Exchange.of(scope)
        try:
            answer = await self._answer(exchange, receive)
        except ClientLeft:
            return
        finally:
            leave(scope)
        if isinstance(answer, Stream):
            await answer.run(receive, send)
            return
        if exchange.streaming is Streaming.ALWAYS:
            answer = as_events(answer)
        if exchange.payer is not None:
            answer.headers.update(exchange.budget_headers())
        if self.operations.settings.development and exchange.context is not None:
            statistics = exchange.context.database.statistics
            answer.headers["galleria-statements"] = str(statistics.statements)
            answer.headers["galleria-rows"] = str(statistics.rows)
        exchange.note(answer)
        await answer.send(send)

    async def _answer(self, exchange: Exchange, receive: Receive) -> Answer | Stream:
        try:
            with Watch(receive, seconds=self.settings.deadline_seconds) as watch:
                return await self._serve(exchange, receive, watch)
        except RequestError as refusal:
            return exchange.refused(refusal)
        except ClientLeft:
            raise
        except TimeUp:
            return exchange.late()
        except Exception as error:  # noqa: BLE001 - the last line of defence: masked, and reported once.
            self.operations.report(error, exchange.request_id)
            return exchange.broken()

    async def _serve(self, exchange: Exchange, receive: Receive, watch: Watch) -> Answer | Stream:
        if exchange.method not in {"GET", "POST"}:
            raise MethodNotAllowed("Send a GraphQL request by POST or GET.", allowed="GET, POST")
        exchange.streaming = streaming_of(exchange.accept)
        if exchange.streaming is not Streaming.ALWAYS:
            exchange.media_type = negotiate(exchange.accept)
        body = await self._read_body(exchange, receive) if exchange.method == "POST" else None
        exchange.is_read = watch.may_receive = True
        if ADMITTED not in exchange.scope and exchange.streaming is Streaming.NEVER:
            await self._wait_for_turn(exchange, body)
        if body is not None:
            again = await self.operations.answered_again(exchange, body)
            if again is not None:
                return again
        request = self._read(exchange, body)
        caller = await self.operations.identify(exchange)
        answer = await self._run(exchange, request, caller)
        if isinstance(answer, Stream):
            return answer
        if self.settings.draft_statuses:
            answer = with_draft_status(answer)
        is_kept_outside = exchange.method == "GET" and exchange.streaming is not Streaming.ALWAYS
        return self._for_caches(exchange, request, answer) if is_kept_outside else answer

    async def _wait_for_turn(self, exchange: Exchange, body: bytes | None) -> None:
        """Wait until the request is let in, where the door has left it to us: its body came late, or is long."""
        gate = self.operations.gate
        if gate is None:
            return
        if not gate.take():
            authorization = exchange.headers.get("authorization")
            names = (exchange.headers.get(name) for name in ("galleria-shop", "host"))
            lane = self.operations.entrance.shop_of(authorization, *names)
            is_signed_in = authorization is not None and lane is not None
            await gate.admitted(self.operations.kinds.of(self._read(exchange, body), is_signed_in=is_signed_in), lane)
        exchange.scope[ADMITTED] = gate

    async def _run(self, exchange: Exchange, request: GraphQLRequest, caller: Any) -> Answer | Stream:
        """Run the operation; one that was not asked for by a stream goes the shortest way."""
        if exchange.streaming is Streaming.NEVER or self.streams is None:
            return await self.operations.run(exchange, request, caller)
        opened = await self.streams.open(exchange, request, caller)
        if isinstance(opened, Chosen):
            return await self.operations.perform(exchange, request, caller, chosen=opened)
        return opened

    def _for_caches(self, exchange: Exchange, request: GraphQLRequest, answer: Answer) -> Answer:
        headers, kept = exchange.headers, exchange.kept
        if kept is None:
            return with_validator(answer, headers.get("if-none-match"))
        is_public = request.query is None and "authorization" not in headers
        answer = with_validator(answer, headers.get("if-none-match"), digest=kept.tag)
        return with_age(answer, kept, is_public=is_public, max_age_seconds=self.settings.max_age_seconds)

    def _read(self, exchange: Exchange, body: bytes | None) -> GraphQLRequest:
        return self._read_query(exchange) if body is None else read_json(body)

    def _read_query(self, exchange: Exchange) -> GraphQLRequest:
        request = read_query_string(exchange.scope["query_string"])
        if request.query is not None and not any(exchange.headers.get(name) for name in PREFLIGHT_HEADERS):
            raise BadRequest(f"A GET with a query needs the header {PREFLIGHT_HEADERS[0]}; or send a documentId.")
        return request

    async def _read_body(self, exchange: Exchange, receive: Receive) -> bytes:
        headers = exchange.headers
        check_content(headers.get("content-type"), headers.get("content-encoding"))
        return await read_body(receive, declared=headers.get("content-length"), limit=self.settings.body_limit_bytes)
