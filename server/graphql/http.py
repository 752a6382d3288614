"""GraphQL over HTTP: POST and GET, one operation a request."""

import dataclasses
from collections.abc import Callable, Sequence

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from core.errors import BadRequest, Forbidden, RequestError, Unauthenticated
from engine.documents import Document, DocumentStore, Operation
from engine.errors import Failure, refused_before_execution, result_failures
from engine.executables import EXECUTORS, Executor
from engine.execute import execute
from engine.price import MOST
from server.addresses import Proxies
from server.graphql.answers import Answer, with_draft_status, with_validator
from server.graphql.bodies import read_body
from server.graphql.caching import Place, ResponseCache, with_age
from server.graphql.contexts import OperationContext, OperationEntrance
from server.graphql.costs import DRY_RUN_HEADER, ON, Costs, PriceLimits
from server.graphql.exchanges import Exchange, verdict_of
from server.graphql.negotiation import check_content, negotiate
from server.graphql.persisted import PersistedDocuments, text_of
from server.graphql.refusals import MethodNotAllowed
from server.graphql.requests import GraphQLRequest, read_json, read_query_string
from server.graphql.seen import SeenRequests, key_of
from server.graphql.watching import ClientLeft, TimeUp, Watch
from server.limits import Budget

PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
"""Headers that no page of another origin can send without the browser asking us first."""

EXECUTOR_HEADER = "galleria-executor"
"""In development: who executes the operation, one of `EXECUTORS`; answers are the same, which anybody can see for
himself."""

_INTROSPECTING_KINDS = frozenset({"staff", "key", "system"})
"""Who may read the schema of an installation in production; everybody may ask for `__typename`."""

Report = Callable[[BaseException, str], None]
"""Takes note of an unexpected exception and of the id of its request."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How the endpoint behaves.

    Attributes:
        development: Answers tell the statements and rows that they took, and everybody may read the schema.
        body_limit_bytes: The longest body.
        deadline_seconds: From the arrival of a request to its answer.
        registered_only: Serve registered documents only.
        prices: What one operation may cost.
        draft_statuses: Use the status codes 422 and 294 of the draft with the draft's media type.
        max_age_seconds: For how long caches outside may keep what everybody gets by the same address.
        proxies: Whom to believe about the addresses of clients.
    """

    development: bool = False
    body_limit_bytes: int = 1_000_000
    deadline_seconds: float = 10.0
    registered_only: bool = False
    prices: PriceLimits = dataclasses.field(default_factory=PriceLimits)
    draft_statuses: bool = False
    max_age_seconds: int = 0
    proxies: Proxies = dataclasses.field(default_factory=Proxies)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLEndpoint:
    """The ASGI application behind the route of an endpoint: `Route("/graphql", endpoint=GraphQLEndpoint(...))`.

    Attributes:
        store: The documents, and the schema that they are executed on.
        persisted: Where documents are found by their hash.
        entrance: Who asks, and what operations run with.
        report: Called once for each unexpected exception, which the client sees masked.
        settings: How the endpoint behaves.
        cache: Answers that are kept; None where none are.
        budget: Who may ask for how much; None where there is no end of it.
    """

    store: DocumentStore
    persisted: PersistedDocuments
    entrance: OperationEntrance
    report: Report
    settings: HttpSettings = dataclasses.field(default_factory=HttpSettings)
    cache: ResponseCache | None = None
    budget: Budget | None = None
    seen: SeenRequests = dataclasses.field(default_factory=SeenRequests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        exchange = Exchange.of(scope)
        try:
            answer = await self._answer(exchange, receive)
        except ClientLeft:
            return
        if exchange.payer is not None:
            answer.headers.update(exchange.budget_headers())
        if self.settings.development and exchange.context is not None:
            statistics = exchange.context.database.statistics
            answer.headers["galleria-statements"] = str(statistics.statements)
            answer.headers["galleria-rows"] = str(statistics.rows)
        exchange.note(answer)
        await answer.send(send)

    async def _answer(self, exchange: Exchange, receive: Receive) -> Answer:
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
            self.report(error, exchange.request_id)
            return exchange.broken()

    async def _serve(self, exchange: Exchange, receive: Receive, watch: Watch) -> Answer:
        if exchange.method not in {"GET", "POST"}:
            raise MethodNotAllowed("Send a GraphQL request by POST or GET.", allowed="GET, POST")
        exchange.media_type = negotiate(exchange.accept)
        if exchange.method == "GET":
            request = self._read_query(exchange)
        else:
            body = await self._read_body(exchange, receive)
            again = await self._answered_again(exchange, body)
            if again is not None:
                return again
            request = read_json(body)
        exchange.is_read = watch.may_receive = True
        view = exchange.view(self.settings.proxies)
        caller = await self.entrance.identify(view)
        if self.budget is not None:
            exchange.payer = self.budget.payer(caller.shop.id, caller.actor, view.address)
        context = exchange.context = self.entrance.open(caller)
        try:
            answer = await self._operate(exchange, request, context)
        finally:
            await context.close()
        if self.settings.draft_statuses:
            answer = with_draft_status(answer)
        return self._for_caches(exchange, request, answer) if exchange.method == "GET" else answer

    def _for_caches(self, exchange: Exchange, request: GraphQLRequest, answer: Answer) -> Answer:
        headers, kept = exchange.headers, exchange.kept
        if kept is None:
            return with_validator(answer, headers.get("if-none-match"))
        is_public = request.query is None and "authorization" not in headers
        answer = with_validator(answer, headers.get("if-none-match"), digest=kept.tag)
        return with_age(answer, kept, is_public=is_public, max_age_seconds=self.settings.max_age_seconds)

    def _read_query(self, exchange: Exchange) -> GraphQLRequest:
        request = read_query_string(exchange.scope["query_string"])
        if request.query is not None and not any(exchange.headers.get(name) for name in PREFLIGHT_HEADERS):
            raise BadRequest(f"A GET with a query needs the header {PREFLIGHT_HEADERS[0]}; or send a documentId.")
        return request

    async def _read_body(self, exchange: Exchange, receive: Receive) -> bytes:
        headers = exchange.headers
        check_content(headers.get("content-type"), headers.get("content-encoding"))
        return await read_body(receive, declared=headers.get("content-length"), limit=self.settings.body_limit_bytes)

    async def _answered_again(self, exchange: Exchange, body: bytes) -> Answer | None:
        """Answer a request that was answered a moment ago, from what is kept; None where it must be read."""
        cache = self.cache
        if cache is None:
            return None
        key = exchange.seen_as = key_of(body, exchange.headers)
        seen = None if key is None else self.seen.get(key)
        stamp = None if seen is None else cache.stamps.known(seen.shop.id)
        if seen is None or stamp is None:
            return None
        place = seen.place if seen.place.stamp == stamp else dataclasses.replace(seen.place, stamp=stamp)
        kept = cache.find(place)
        if kept is None:
            return None
        exchange.is_read = True
        exchange.context = seen
        exchange.observation.operation = seen.operation
        exchange.observation.operation_type = OperationType.QUERY.value
        if self.budget is not None:
            address = exchange.view(self.settings.proxies).address
            exchange.payer = self.budget.payer(seen.shop.id, seen.actor, address)
        await exchange.charge(seen.costs)
        return exchange.unchanged(kept, shows_cache=self.settings.development)

    def _remember(self, exchange: Exchange, place: Place) -> None:
        """Keep what was found out about a request whose answer is kept, for when it comes again."""
        context, costs, key = exchange.context, exchange.costs, exchange.seen_as
        if context is None or costs is None or key is None:
            return
        operation = exchange.observation.operation
        self.seen.remember(key, shop=context.shop, actor=context.actor, operation=operation, costs=costs, place=place)

    async def _operate(self, exchange: Exchange, request: GraphQLRequest, context: OperationContext) -> Answer:
        try:
            chosen = await self._choose(exchange, request, context)
        except RequestError:
            await exchange.charge_least()
            raise
        if not isinstance(chosen, _Chosen):
            await exchange.charge_least()
            return exchange.failed(*chosen)
        if exchange.headers.get(DRY_RUN_HEADER) == ON:
            await exchange.charge_least()
            return exchange.priced(chosen.costs)
        await exchange.charge(chosen.costs)
        return await self._kept_or_executed(exchange, request, chosen.document, chosen.operation)

    async def _choose(
        self, exchange: Exchange, request: GraphQLRequest, context: OperationContext
    ) -> "_Chosen | Sequence[Failure]":
        """Return what is to be run, or why nothing is."""
        document = await self._document(exchange, request, context)
        if isinstance(document, Failure):
            return (document,)
        if document.failures:
            return document.failures
        operation = document.operation(request.operation_name)
        if isinstance(operation, Failure):
            return (operation,)
        exchange.observation.operation = operation.name
        exchange.observation.operation_type = operation.type.value
        if operation.type is OperationType.SUBSCRIPTION:
            return (_NOT_SERVED,)
        _check_method(exchange.method, operation)
        if operation.introspects and not self.settings.development:
            _check_introspection(context.actor.kind)
        costs = self._price(exchange, request, operation, context)
        return (costs,) if isinstance(costs, Failure) else _Chosen(document, operation, costs)

    def _price(
        self, exchange: Exchange, request: GraphQLRequest, operation: Operation, context: OperationContext
    ) -> Costs | Failure:
        is_dry_run = exchange.headers.get(DRY_RUN_HEADER) == ON
        at_most = MOST if is_dry_run else self.settings.prices.of(context.actor.kind)
        return Costs.of(operation.price, request.variables, exchange.headers, at_most=at_most)

    async def _document(
        self, exchange: Exchange, request: GraphQLRequest, context: OperationContext
    ) -> Document | Failure:
        registered_only = self.settings.registered_only
        text = await text_of(request, self.persisted, context.shop.id, registered_only=registered_only)
        if isinstance(text, Failure):
            return text
        if not self.store.knows(text):
            # Parsing and validating is work, which a flood of new or malformed documents is to pay for.
            await exchange.charge_least(len(text))
        document = self.store.get(text)
        brings_both = request.sha256 is not None and request.query is not None
        if brings_both and not document.failures and not registered_only:
            await self.persisted.keep(context.shop.id, text)
        return document

    async def _kept_or_executed(
        self, exchange: Exchange, request: GraphQLRequest, document: Document, operation: Operation
    ) -> Answer:
        exchange.is_executing = True
        context, cache = exchange.context, self.cache
        place = None
        # Whoever names an executor wants to see what it answers, not what another one did.
        if context is not None and cache is not None and self._executor(exchange) is None:
            place = await cache.place(context, document, operation, request.variables)
        if cache is None or place is None:
            return await self._execute(exchange, request, document)
        own: Answer | None = None

        async def make() -> bytes | None:
            nonlocal own
            own = await self._execute(exchange, request, document)
            return own.data

        kept = cache.find(place) or await cache.find_or_make(place, make)
        if kept is not None:
            answer = exchange.unchanged(kept, shows_cache=self.settings.development)
            self._remember(exchange, place)
            return answer
        return own or await self._execute(exchange, request, document)

    def _executor(self, exchange: Exchange) -> Executor | None:
        """Return who shall execute: in development everybody may compare."""
        wanted = exchange.headers.get(EXECUTOR_HEADER)
        if wanted is None or not self.settings.development:
            return None
        if wanted not in EXECUTORS:
            raise BadRequest(f"Galleria-Executor is one of {', '.join(EXECUTORS)}.")
        return wanted

    async def _execute(self, exchange: Exchange, request: GraphQLRequest, document: Document) -> Answer:
        result = await execute(
            document,
            operation_name=request.operation_name,
            variables=request.variables,
            context=exchange.context,
            executor=self._executor(exchange),
        )
        if not result.errors:
            return exchange.result(result.data, [])
        failures = result_failures(
            result.errors, classify=verdict_of, report=lambda error: self.report(error, exchange.request_id)
        )
        if result.data is None and refused_before_execution(result.errors):
            return exchange.failed(*failures)
        return exchange.result(result.data, failures)


@dataclasses.dataclass(frozen=True, slots=True)
class _Chosen:
    document: Document
    operation: Operation
    costs: Costs


_NOT_SERVED = Failure("Subscriptions are not served here; ask again by a query when you need news.", BadRequest.code)


def _check_method(method: str, operation: Operation) -> None:
    if method == "GET" and operation.type is not OperationType.QUERY:
        raise MethodNotAllowed("Only queries can be sent by GET; send this by POST.", allowed="POST")


def _check_introspection(kind: str) -> None:
    if kind in _INTROSPECTING_KINDS:
        return
    if kind == "anonymous":
        raise Unauthenticated("The schema is shown to staff; sign in to ask for __schema or __type.")
    raise Forbidden("The schema is shown to staff; leave out __schema and __type.")
