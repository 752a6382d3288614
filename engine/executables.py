"""Operations made ready to be executed again and again: compiled at the second sight, for each way they branch."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from typing import Any, Literal, get_args

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from graphql import execute as execute_by_library
from graphql.execution import Executor as LibraryExecutor
from graphql.execution import create_source_event_stream
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues

from engine.arguments import variables_of
from engine.branches import MOST_PLANS, Branches
from engine.compile import Compiler, NotCompiled
from engine.executions import Executions
from engine.folding import Bail
from engine.levels import run_plan, run_selection
from engine.looks import INTROSPECTION, looked
from engine.outcomes import finished
from engine.plans import Plan
from engine.state import State

Executor = Literal["compiled", "loaders", "reference"]
"""Who executes: the compiled plan, the same without carried rows, or graphql-core."""

EXECUTORS: tuple[Executor, ...] = get_args(Executor)

_LONGEST_KEY = 1_000
"""Characters of the variables that answers about the schema are kept by."""

_ABOUT_SCHEMA = INTROSPECTION | {"__typename"}


class Unchanging(dict[str, Any]):
    """Data that is the same each time, with a place for the bytes that it becomes.

    Attributes:
        encoded: Its JSON; None until somebody has made it.
    """

    encoded: bytes | None = None


class Executable:
    """One operation of a valid document, with everything about its execution that outlives a request.

    Args:
        schema: What it is executed on.
        document: Valid against the schema.
        operation: One of its operations.
        hide_suggestions: Whether errors may not name what else there is.
        executions: Where it is counted who executes.
    """

    __slots__ = (
        "_coerce",
        "_document",
        "_executions",
        "_fragments",
        "_hide_suggestions",
        "_introspections",
        "_is_left",
        "_is_seen",
        "_only_introspects",
        "_plans",
        "_switches",
        "operation",
        "schema",
    )

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        *,
        hide_suggestions: bool = False,
        executions: Executions | None = None,
    ) -> None:
        self.schema = schema
        self._executions = executions or Executions()
        self.operation = operation
        self._document = document
        self._hide_suggestions = hide_suggestions
        self._coerce = variables_of(schema, operation, hide_suggestions=hide_suggestions)
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        look = looked(operation, self._fragments)
        self._switches = tuple(sorted(look.switches))
        self._is_left = look.is_left or any(each.variable_definitions for each in self._fragments.values())
        roots = operation.selection_set.selections
        names = {each.name.value if isinstance(each, FieldNode) else "" for each in roots}
        self._only_introspects = names <= _ABOUT_SCHEMA and not names.isdisjoint(INTROSPECTION)
        self._introspections: dict[str, Unchanging] = {}
        self._plans = {True: Branches(), False: Branches()}
        self._is_seen = False

    async def execute(
        self,
        variables: Mapping[str, Any] | None,
        *,
        context: Any,
        root_value: Any = None,
        executor: Executor = "compiled",
    ) -> ExecutionResult:
        """Execute the operation once.

        Args:
            variables: As the client sent them, not yet coerced.
            context: Given to every resolver.
            root_value: Parent of the root fields.
            executor: Who executes; graphql-core does in any case where it must.
        """
        if self._only_introspects and executor != "reference":
            return await self._introspected(variables, context, root_value)
        if executor == "reference" or self._is_left:
            return await self._execute_by_library(variables, context, root_value)
        coerced = self._coerce(variables or {})
        if isinstance(coerced, list):
            return ExecutionResult(None, coerced)
        plan = self._plan(coerced, folds=executor == "compiled")
        if plan is not None and plan.is_folded:
            try:
                _ask_guards(plan, context)
                result = await self._run(plan, coerced, context, root_value)
            except Bail:
                self._executions.bails += 1
                context.carried.clear()
                plan = self._plan(coerced, folds=False)
            else:
                self._executions.folded += 1
                return result
        if plan is None:
            return await self._execute_by_library(variables, context, root_value)
        self._executions.loaders += 1
        return await self._run(plan, coerced, context, root_value)

    async def execute_each(
        self, variables: Mapping[str, Any] | None, roots: Sequence[Any], *, context: Any
    ) -> list[ExecutionResult]:
        """Execute the operation once for each of several root values, reading together what they read.

        Args:
            variables: As the client sent them, not yet coerced.
            roots: Parents of the root fields; a resolver is given its own, and in `info.root_value` none.
            context: Given to every resolver.
        """
        is_left = self._is_left or self._only_introspects or len(roots) == 1
        coerced: Any = [] if is_left else self._coerce(variables or {})
        plan = None if isinstance(coerced, list) else self._plan(coerced, folds=False)
        if plan is None or plan.is_serial:
            return [await self.execute(variables, context=context, root_value=root) for root in roots]
        self._executions.loaders += len(roots)
        state = State(self.schema, self.operation, self._fragments, coerced, context=context, root_value=None)
        try:
            made = await run_selection(plan.root, roots, state, [None] * len(roots), root=None)
        finally:
            state.close_unused()
        return [_result(plan, data, state) for data in made]

    def coerced(self, variables: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """Return the variables as resolvers get them, or what is wrong with them."""
        return self._coerce(variables)

    async def subscribe(
        self, variables: Mapping[str, Any] | None, *, context: Any, root_value: Any = None
    ) -> AsyncIterator[ExecutionResult] | ExecutionResult:
        """Subscribe: graphql-core makes the stream of events, and the plan the response of each event.

        Returns:
            A response for each event, or why there are none.
        """
        events = await self.events(variables, context=context, root_value=root_value)
        return events if isinstance(events, ExecutionResult) else self._responses(events, variables, context)

    async def events(
        self, variables: Mapping[str, Any] | None, *, context: Any, root_value: Any = None
    ) -> AsyncIterable[Any] | ExecutionResult:
        """Subscribe to what responses are made of: `execute` makes one with an event as the root value.

        Returns:
            What the root field's `subscribe` returned, as it is, or why there are no events.
        """
        name = self.operation.name.value if self.operation.name else None
        built = LibraryExecutor.build(
            self.schema,
            self._document,
            root_value,
            context,
            dict(variables or {}),
            name,
            hide_suggestions=self._hide_suggestions,
        )
        if isinstance(built, list):
            return ExecutionResult(None, built)
        stream = create_source_event_stream(built)
        return stream if isinstance(stream, ExecutionResult | AsyncIterable) else await stream

    async def _responses(
        self, events: AsyncIterable[Any], variables: Mapping[str, Any] | None, context: Any
    ) -> AsyncIterator[ExecutionResult]:
        try:
            async for event in events:
                yield await self.execute(variables, context=context, root_value=event)
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def prepare(self) -> None:
        """Compile before the first request, where the plan does not depend on what that brings."""
        self._is_seen = True
        if not self._is_left and not self._switches:
            self._plan(VariableValues({}, {}), folds=True)

    async def _introspected(
        self, variables: Mapping[str, Any] | None, context: Any, root_value: Any
    ) -> ExecutionResult:
        """Answer from what was answered before: a schema does not change while it is served."""
        coerced = self._coerce(variables or {})
        key = "" if isinstance(coerced, list) else repr(coerced.coerced)
        known = self._introspections.get(key)
        if known is None:
            result = await self._execute_by_library(variables, context, root_value)
            is_kept = len(self._introspections) < MOST_PLANS and len(key) <= _LONGEST_KEY
            if result.errors or isinstance(coerced, list) or not is_kept:
                return result
            known = self._introspections[key] = Unchanging(result.data or {})
        else:
            self._executions.kept += 1
        return ExecutionResult(known, None)

    async def _run(self, plan: Plan, coerced: VariableValues, context: Any, root_value: Any) -> ExecutionResult:
        state = State(self.schema, self.operation, self._fragments, coerced, context=context, root_value=root_value)
        try:
            data = await run_plan(plan, state)
        finally:
            if state.unused:
                state.close_unused()
        return _result(plan, data, state)

    @property
    def is_current(self) -> bool:
        """Whether the schema still has the resolvers that the plans were made of."""
        return all(branches.are_current for branches in self._plans.values())

    async def execute_when_seen(self, variables: Mapping[str, Any] | None, *, context: Any) -> ExecutionResult:
        """Execute the operation, the first time by graphql-core: most texts that are seen once are not seen again."""
        executor: Executor = "compiled" if self._is_seen else "reference"
        self._is_seen = True
        return await self.execute(variables, context=context, executor=executor)

    def _plan(self, coerced: VariableValues, *, folds: bool) -> Plan | None:
        """Return the plan for these variables; None where graphql-core executes."""
        branch = tuple(coerced.coerced.get(name) for name in self._switches)
        return self._plans[folds].get(branch, lambda: self._compiled(coerced, folds=folds))

    def _compiled(self, given: VariableValues, *, folds: bool) -> Plan | None:
        # A plan outlives the request, whose other variables may be large.
        coerced = VariableValues(
            *({name: values[name] for name in self._switches if name in values} for values in given)
        )
        fragments = {name: FragmentDetails(node) for name, node in self._fragments.items()}
        hides = self._hide_suggestions
        folds = folds and self.operation.operation is OperationType.QUERY
        try:
            return Compiler(self.schema, fragments, self.operation, coerced, hide_suggestions=hides, folds=folds).plan()
        except (NotCompiled, RecursionError, GraphQLError):
            return None

    async def _execute_by_library(
        self, variables: Mapping[str, Any] | None, context: Any, root_value: Any
    ) -> ExecutionResult:
        self._executions.reference += 1
        name = self.operation.name.value if self.operation.name else None
        outcome = execute_by_library(
            self.schema,
            self._document,
            root_value,
            context,
            None if variables is None else dict(variables),
            name,
            hide_suggestions=self._hide_suggestions,
        )
        return outcome if isinstance(outcome, ExecutionResult) else await outcome


def _result(plan: Plan, data: dict[str, Any], state: State) -> ExecutionResult:
    if not state.failed:
        return ExecutionResult(data, None)
    response, errors = finished(plan, data, state)
    return ExecutionResult(response, errors or None)


def _ask_guards(plan: Plan, context: Any) -> None:
    """Ask whether the actor may see all that is carried, before anything is read.

    Raises:
        Bail: He may not; which field it is, and where, the plan without folding finds out.
    """
    try:
        for guard in plan.guards:
            guard(context)
    except Exception as error:
        raise Bail from error
