"""Runs operations by the engine and by graphql-core and collects what differs."""

import asyncio
import collections
import dataclasses
import gc
import warnings
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import pytest
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, parse

from engine import executables
from engine.executables import Executable, Executor
from tests.engine.comparing import Outcome, difference, errors_without_propagation, operation_of, shapes_of
from tests.engine.operations import Operation

SECONDS = 10
"""Within which all that an operation has started comes to its end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What an execution is given, made anew for each.

    Attributes:
        log: What resolvers did, in order.
        close: Called when all is over.
        before: Tasks that ran already, such as those of an application that another test was about.
    """

    context: Any
    root: Any = None
    log: Iterable[str] = ()
    close: Callable[[], Awaitable[None]] | None = None
    before: frozenset[asyncio.Task[Any]] = dataclasses.field(default_factory=lambda: frozenset(asyncio.all_tasks()))

    async def end(self) -> None:
        """Wait until nothing runs but the test, and close what was opened.

        Raises:
            AssertionError: Something goes on.
        """
        await _at_rest(self.before)
        if self.close is not None:
            await self.close()


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """An operation and what it runs in.

    Attributes:
        surround: Makes the same surroundings each time.
        label: Tells how to make the case again.
    """

    schema: GraphQLSchema
    operation: Operation
    document: DocumentNode
    executable: Executable
    surround: Callable[[], Surroundings]
    label: str

    async def outcome(self, executor: Executor) -> Outcome:
        """Execute the operation.

        Raises:
            AssertionError: Something goes on when the result is there.
        """
        given = self.surround()
        result = await self.executable.execute(
            self.operation.variables, context=given.context, root_value=given.root, executor=executor
        )
        await given.end()
        return Outcome.of(result, given.log)

    async def difference(self, expected: Outcome, actual: Outcome) -> str | None:
        """Say what differs in a way that is not allowed."""
        errors: collections.Counter[Any] = collections.Counter()
        if expected.errors != actual.errors:
            given = self.surround()
            errors = await errors_without_propagation(
                self.schema,
                self.document,
                self.executable.operation,
                variable_values=dict(self.operation.variables),
                context_value=given.context,
                root_value=given.root,
            )
            await given.end()
        return difference(
            expected,
            actual,
            all_errors=lambda: errors,
            shapes=lambda: shapes_of(self.schema, self.document, self.executable.operation),
        )

    def __str__(self) -> str:
        return f"{self.operation.text}\n{dict(self.operation.variables)}\n{self.operation.name} {self.label}"


def cases_of(
    schema: GraphQLSchema,
    operations: Sequence[Operation],
    surround: Callable[[OperationDefinitionNode], Callable[[], Surroundings]],
    label: str,
) -> list[Case]:
    """Return a case for each operation of one document."""
    document = parse(operations[0].text)
    cases = []
    for operation in operations:
        node = operation_of(document, operation.name)
        executable = Executable(schema, document, node)
        cases.append(Case(schema, operation, document, executable, surround(node), label))
    return cases


async def _at_rest(before: frozenset[asyncio.Task[Any]]) -> None:
    tasks = {task for task in asyncio.all_tasks() - before if task is not asyncio.current_task() and not _serves(task)}
    if tasks:
        _, running = await asyncio.wait(tasks, timeout=SECONDS)
        assert not running, f"still running: {running}"
        await _at_rest(before)


def _serves(task: asyncio.Task[Any]) -> bool:
    """Tell a task of the test's servers and fixtures, which share the event loop."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and ("uvicorn" in code.co_filename or "pytest" in code.co_filename)


class Fallbacks:
    """Counts what the engine leaves to graphql-core."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        by_library = executables.execute_by_library

        def counted(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            return by_library(*arguments, **named)

        monkeypatch.setattr(executables, "execute_by_library", counted)


async def differences(cases: Sequence[Case], executor: Executor = "compiled") -> list[str]:
    """Return what differs from graphql-core, and coroutines that the engine has left behind."""
    # What was there before need not be looked through for garbage each time.
    gc.freeze()
    try:
        return await _differences(cases, executor)
    finally:
        gc.unfreeze()


async def _differences(cases: Sequence[Case], executor: Executor) -> list[str]:
    with warnings.catch_warnings():
        # graphql-core leaves coroutines behind that nobody awaits.
        warnings.simplefilter("ignore")
        expected = [await case.outcome("reference") for case in cases]
        gc.collect()
    with warnings.catch_warnings(record=True) as left_behind:
        warnings.simplefilter("always")
        actual = [await case.outcome(executor) for case in cases]
        gc.collect()
    found = [str(each.message) for each in left_behind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case, first, second in zip(cases, expected, actual, strict=True):
            differs = await case.difference(first, second)
            if differs:
                found.append(f"{case}\n{differs}")
        gc.collect()
    return found
