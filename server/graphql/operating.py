"""What becomes of a request wherever it came in: chosen, priced, paid for, answered from what is kept, or executed."""

import dataclasses
from collections.abc import Callable, Sequence

from graphql import OperationType

from core.errors import BadRequest, Forbidden, RequestError, Unauthenticated
from engine.documents import Document, DocumentStore, Operation
from engine.errors import Failure, refused_before_execution, result_failures
from engine.executables import EXECUTORS, Executor
from engine.execute import execute
from engine.price import MOST
from server.addresses import Proxies
from server.admission.gate import ADMITTED, Gate, leave
from server.admission.kinds import Kind, Kinds
from server.graphql.answers import Answer
from server.graphql.caching import Place, ResponseCache
from server.graphql.contexts import CallerView, OperationContext, OperationEntrance
from server.graphql.costs import DRY_RUN_HEADER, ON, Costs, PriceLimits
from server.graphql.exchanges import Exchange, verdict_of
from server.graphql.persisted import PersistedDocuments, text_of
from server.graphql.refusals import MethodNotAllowed
from server.graphql.requests import GraphQLRequest
from server.graphql.seen import SeenRequests, key_of
from server.limits import Budget

EXECUTOR_HEADER = "galleria-executor"
"""In development: who executes the operation, one of `EXECUTORS`; answers are the same, which anybody can see for
himself."""

ANONYMOUS = "anonymous"
"""The kind of whoever has not signed in."""

_INTROSPECTING_KINDS = frozenset({"staff", "key", "system"})
"""Who may read the schema of an installation in production; everybody may ask for `__typename`."""

Report = Callable[[BaseException, str], None]
"""Takes note of an unexpected exception and of the id of its request."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OperationSettings:
    """How operations are served.

    Attributes:
        development: Answers tell the statements and rows that they took, and everybody may read the schema.
        registered_only: Serve registered documents only.
        prices: What one operation may cost.
    """

    development: bool = False
    registered_only: bool = False
    prices: PriceLimits = dataclasses.field(default_factory=PriceLimits)


@dataclasses.dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be run.

    Attributes:
        document: The document.
        operation: One of its operations.
        costs: What it costs.
    """

    document: Document
    operation: Operation
    costs: Costs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Serves operations, whatever they came by.

    Attributes:
        store: The documents, and the schema that they are executed on.
        persisted: Where documents are found by their hash.
        entrance: Who asks, and what operations run with.
        report: Called once for each unexpected exception, which the client sees masked.
        settings: How operations are served.
        proxies: Whom to believe about the addresses of clients.
        cache: Answers that are kept; None where none are.
        budget: Who may ask for how much; None where there is no end of it.
        gate: Lets them in, as many as can be served; None where all are.
        writing: Lets those in that change something: they may wait for each other in the database, and are not to keep
            the places of those that only read.
        kinds: How important they are, as far as they were seen.
    """

    store: DocumentStore
    persisted: PersistedDocuments
    entrance: OperationEntrance
    report: Report
    settings: OperationSettings = dataclasses.field(default_factory=OperationSettings)
    proxies: Proxies = dataclasses.field(default_factory=Proxies)
    cache: ResponseCache | None = None
    budget: Budget | None = None
    gate: Gate | None = None
    writing: Gate | None = None
    kinds: Kinds = dataclasses.field(default_factory=Kinds)
    _seen: SeenRequests = dataclasses.field(default_factory=SeenRequests, init=False)

    async def identify(self, exchange: Exchange) -> CallerView:
        """Find out who asks, and who pays.

        Raises:
            RequestError: Nobody whom we serve.
        """
        view = exchange.view(self.proxies)
        caller: CallerView = await self.entrance.identify(view)
        if self.budget is not None:
            exchange.payer = self.budget.payer(caller.shop.id, caller.actor, view.address)
        return caller

    async def answered_again(self, exchange: Exchange, body: bytes) -> Answer | None:
        """Answer a request that was answered a moment ago, from what is kept; None where it must be read."""
        cache = self.cache
        if cache is None:
            return None
        key = exchange.seen_as = key_of(body, exchange.headers)
        seen = None if key is None else self._seen.get(key)
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
            address = exchange.view(self.proxies).address
            exchange.payer = self.budget.payer(seen.shop.id, seen.actor, address)
        await exchange.charge(seen.costs)
        return exchange.unchanged(kept, shows_cache=self.settings.development)

    def _remember(self, exchange: Exchange, place: Place) -> None:
        """Keep what was found out about a request whose answer is kept, for when it comes again."""
        context, costs, key = exchange.context, exchange.costs, exchange.seen_as
        if context is None or costs is None or key is None:
            return
        operation = exchange.observation.operation
        self._seen.remember(key, shop=context.shop, actor=context.actor, operation=operation, costs=costs, place=place)

    async def run(self, exchange: Exchange, request: GraphQLRequest, caller: CallerView) -> Answer:
        """Run a query or a mutation, in a context of its own, and answer with what comes of it.

        Raises:
            RequestError: It is refused as a whole.
        """
        context = exchange.context = self.entrance.open(caller)
        try:
            return await self._operate(exchange, request, context)
        finally:
            await context.close()

    async def perform(
        self, exchange: Exchange, request: GraphQLRequest, caller: CallerView, *, chosen: "Chosen"
    ) -> Answer:
        """Run a query or a mutation that was chosen before, once it is let in; see `run`.

        Raises:
            RequestError: It is refused as a whole.
        """
        is_let_in = ADMITTED in exchange.scope or chosen.operation.type is OperationType.MUTATION
        if self.gate is None or is_let_in:
            return await self._performed(exchange, request, caller, chosen)
        async with self.gate.entered(Kind.of(chosen.operation), caller.shop.id):
            return await self._performed(exchange, request, caller, chosen)

    async def _performed(
        self, exchange: Exchange, request: GraphQLRequest, caller: CallerView, chosen: "Chosen"
    ) -> Answer:
        context = exchange.context = self.entrance.open(caller)
        try:
            return await self._perform(exchange, request, chosen)
        finally:
            await context.close()

    async def choose(
        self, exchange: Exchange, request: GraphQLRequest, caller: CallerView, *, subscribes: bool = False
    ) -> "Chosen | Sequence[Failure]":
        """Return what is to be run, or why nothing is; what is refused is paid for by its length.

        Args:
            exchange: What is known so far.
            request: What is asked.
            caller: Who asks.
            subscribes: Whether subscriptions are served where the request came in.

        Raises:
            RequestError: It is refused as a whole.
        """
        try:
            chosen = await self._choose(exchange, request, caller, subscribes=subscribes)
        except RequestError:
            await exchange.charge_least()
            raise
        if not isinstance(chosen, Chosen):
            await exchange.charge_least()
        return chosen

    async def _operate(self, exchange: Exchange, request: GraphQLRequest, context: OperationContext) -> Answer:
        chosen = await self.choose(exchange, request, context)
        if not isinstance(chosen, Chosen):
            return exchange.failed(*chosen)
        return await self._perform(exchange, request, chosen)

    async def _perform(self, exchange: Exchange, request: GraphQLRequest, chosen: Chosen) -> Answer:
        if exchange.headers.get(DRY_RUN_HEADER) == ON:
            await exchange.charge_least()
            return exchange.priced(chosen.costs)
        # Before it waits for anything: whoever floods with mutations is to run out of points, and not others of places.
        await exchange.charge(chosen.costs)
        if self.writing is None or chosen.operation.type is not OperationType.MUTATION:
            return await self._kept_or_executed(exchange, request, chosen.document, chosen.operation)
        leave(exchange.scope)
        await self._admit_to_writing(self.writing, exchange)
        try:
            return await self._kept_or_executed(exchange, request, chosen.document, chosen.operation)
        finally:
            self.writing.leave()

    async def _admit_to_writing(self, writing: Gate, exchange: Exchange) -> None:
        """Wait until a mutation may begin; one that does not costs no more than any request that is refused."""
        context = exchange.context
        # Most mutations are refused to whoever has not signed in, and are to hold back none of somebody who has.
        is_signed_in = context is not None and context.actor.kind != ANONYMOUS
        kind = Kind.MUTATION if is_signed_in else Kind.QUERY
        try:
            await writing.admitted(kind, None if context is None else context.shop.id)
        except BaseException:
            exchange.settle_least()
            raise

    async def _choose(
        self, exchange: Exchange, request: GraphQLRequest, caller: CallerView, *, subscribes: bool
    ) -> "Chosen | Sequence[Failure]":
        document = await self._document(exchange, request, caller)
        if isinstance(document, Failure):
            return (document,)
        if document.failures:
            return document.failures
        operation = document.operation(request.operation_name)
        if isinstance(operation, Failure):
            return (operation,)
        self.kinds.note(request, operation)
        exchange.observation.operation = operation.name
        exchange.observation.operation_type = operation.type.value
        if operation.type is OperationType.SUBSCRIPTION and not subscribes:
            return (_NOT_SERVED,)
        _check_method(exchange.method, operation)
        if operation.introspects and not self.settings.development:
            _check_introspection(caller.actor.kind)
        costs = self._price(exchange, request, operation, caller)
        return (costs,) if isinstance(costs, Failure) else Chosen(document, operation, costs)

    def _price(
        self, exchange: Exchange, request: GraphQLRequest, operation: Operation, caller: CallerView
    ) -> Costs | Failure:
        is_dry_run = exchange.headers.get(DRY_RUN_HEADER) == ON
        at_most = MOST if is_dry_run else self.settings.prices.of(caller.actor.kind)
        return Costs.of(operation.price, request.variables, exchange.headers, at_most=at_most)

    async def _document(self, exchange: Exchange, request: GraphQLRequest, caller: CallerView) -> Document | Failure:
        registered_only = self.settings.registered_only
        text = await text_of(request, self.persisted, caller.shop.id, registered_only=registered_only)
        if isinstance(text, Failure):
            return text
        if not self.store.knows(text):
            # Parsing and validating is work, which a flood of new or malformed documents is to pay for.
            await exchange.charge_least(len(text))
        document = self.store.get(text)
        brings_both = request.sha256 is not None and request.query is not None
        if brings_both and not document.failures and not registered_only:
            await self.persisted.keep(caller.shop.id, text)
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
            cache.note(place, document, operation, request.variables)
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


_NOT_SERVED = Failure(
    "Subscriptions are not served here: send them over a WebSocket, or accept text/event-stream.", BadRequest.code
)


def _check_method(method: str, operation: Operation) -> None:
    if method == "GET" and operation.type is OperationType.MUTATION:
        raise MethodNotAllowed("Mutations cannot be sent by GET; send this by POST.", allowed="POST")


def _check_introspection(kind: str) -> None:
    if kind in _INTROSPECTING_KINDS:
        return
    if kind == ANONYMOUS:
        raise Unauthenticated("The schema is shown to staff; sign in to ask for __schema or __type.")
    raise Forbidden("The schema is shown to staff; leave out __schema and __type.")
