"""A pytest plugin: whoever imports graphql-core's functions that execute gets the engine behind them.

Executions that name what the engine has no word for (resolvers for a whole schema, middleware, an executor class, abort
signals) stay with graphql-core, and are counted.
"""

import asyncio
import inspect
import os
import threading
from typing import Any

import graphql
import graphql.execution
import pytest

from engine.executables import Executable

SECONDS = 10
"""For one execution; one that needs longer waits for something on the loop of the test."""

ROUTED = frozenset({"schema", "document", "root_value", "context_value", "variable_values", "operation_name"})

FORM = os.environ.get("ROUTED_FORM", "both")
"""In which form results come back: `plain`, `awaited`, or `both`, which can be awaited and need not be. graphql-core
answers at once where it can and the engine never does, so tests that know which it was need the one or the other."""

counts = {"routed": 0, "left": 0}
_execute, _execute_sync = graphql.execute, graphql.execute_sync
_graphql, _graphql_sync = graphql.graphql, graphql.graphql_sync


class Result(graphql.ExecutionResult):
    """A result for those who await it and those who do not."""

    def __await__(self) -> Any:
        return self._itself().__await__()

    def __eq__(self, other: object) -> bool:
        return self._plain() == (other._plain() if isinstance(other, Result) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._plain())

    def _plain(self) -> graphql.ExecutionResult:
        return graphql.ExecutionResult(self.data, self.errors)

    async def _itself(self) -> graphql.ExecutionResult:
        return self._plain()


def execute(*arguments: Any, **named: Any) -> Any:
    """Execute by the engine, on a loop and a thread of its own."""
    return _routed(_execute, arguments, named)


def execute_sync(*arguments: Any, **named: Any) -> Any:
    """Execute by the engine, on a loop and a thread of its own."""
    if named.get("check_sync"):
        return _execute_sync(*arguments, **named)
    return _routed(_execute_sync, arguments, named)


async def run_graphql(schema: Any, source: Any, *arguments: Any, **named: Any) -> Any:
    """Parse, validate, and execute by the engine."""
    result = _whole(schema, source, arguments, named)
    return await result if inspect.isawaitable(result) else result


def run_graphql_sync(schema: Any, source: Any, *arguments: Any, **named: Any) -> Any:
    """Parse, validate, and execute by the engine."""
    return _whole(schema, source, arguments, named, run=execute_sync)


def _whole(schema: Any, source: Any, arguments: tuple[Any, ...], named: dict[str, Any], *, run: Any = execute) -> Any:
    errors = graphql.validate_schema(schema)
    try:
        document = None if errors else graphql.parse(source)
    except graphql.GraphQLError as error:
        errors, document = [error], None
    if document is not None:
        errors = graphql.validate(schema, document)
    if errors or document is None:
        return graphql.ExecutionResult(None, errors)
    return run(schema, document, *arguments, **named)


def _routed(function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        bound = inspect.signature(function).bind(*arguments, **named).arguments
    except TypeError:
        return function(*arguments, **named)
    executable = _executable(bound)
    if executable is None:
        counts["left"] += 1
        return function(*arguments, **named)
    counts["routed"] += 1
    result = _in_thread(
        executable.execute(
            bound.get("variable_values"), context=bound.get("context_value"), root_value=bound.get("root_value")
        )
    )
    if FORM == "plain" or function is _execute_sync:
        return result
    both = Result(result.data, result.errors)
    return both._itself() if FORM == "awaited" else both


def _executable(bound: dict[str, Any]) -> Executable | None:
    """Return the operation that the engine may execute; None where graphql-core shall."""
    if any(name not in ROUTED and value for name, value in bound.items()):
        return None
    if not isinstance(bound.get("document"), graphql.DocumentNode) or graphql.validate_schema(bound["schema"]):
        return None
    wanted = bound.get("operation_name")
    operations = [each for each in bound["document"].definitions if isinstance(each, graphql.OperationDefinitionNode)]
    if wanted is not None:
        operations = [each for each in operations if each.name is not None and each.name.value == wanted]
    return Executable(bound["schema"], bound["document"], operations[0]) if len(operations) == 1 else None


def _in_thread(coroutine: Any) -> graphql.ExecutionResult:
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["result"] = asyncio.run(asyncio.wait_for(coroutine, SECONDS))
        except BaseException as error:  # noqa: BLE001  (handed to the test)
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    result: graphql.ExecutionResult = outcome["result"]
    return result


for module in (graphql, graphql.execution):
    module.execute, module.execute_sync = execute, execute_sync
graphql.graphql, graphql.graphql_sync = run_graphql, run_graphql_sync


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"{counts['routed']} executions by the engine, {counts['left']} left to graphql-core")
