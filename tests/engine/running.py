"""Runs an operation by the engine alone, and compares with graphql-core."""

import inspect
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLSchema, execute, parse, validate

from engine import executables
from engine.executables import Executable
from tests.engine.comparing import Outcome, operation_of


class Left(Exception):
    """The engine has left the operation to graphql-core."""


def _left(*_: Any, **__: Any) -> Any:
    raise Left


async def run(
    schema: GraphQLSchema, text: str, variables: dict[str, Any] | None = None, *, root: Any = None, context: Any = None
) -> ExecutionResult:
    """Execute a valid operation by the engine alone.

    Raises:
        Left: The engine does not execute it.
    """
    document = parse(text)
    assert validate(schema, document) == []
    executable = Executable(schema, document, operation_of(document, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executables, "execute_by_library", _left)
        return await executable.execute(variables, context=context, root_value=root)


async def same(
    schema: GraphQLSchema, text: str, variables: dict[str, Any] | None = None, *, root: Any = None, context: Any = None
) -> ExecutionResult:
    """Execute by the engine and by graphql-core; return the result, which is the same.

    Errors are compared with their order: where all of them are reported, it is that of the document in both.
    """
    result = await run(schema, text, variables, root=root, context=context)
    outcome = execute(schema, parse(text), root, context, variables)
    expected = await outcome if inspect.isawaitable(outcome) else outcome
    assert isinstance(expected, ExecutionResult)
    assert Outcome.of(result) == Outcome.of(expected)
    return result


def errors_of(result: ExecutionResult) -> list[tuple[list[str | int], str]]:
    """Return paths and messages."""
    return [(each.path or [], each.message) for each in result.errors or ()]
