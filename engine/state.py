"""What one execution knows: its variables, its context, and whether something has failed."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues
from graphql.language import FragmentDefinitionNode
from graphql.pyutils import Path, gather_with_cancel, is_awaitable
from graphql.type import GraphQLResolveInfoHelpers

from engine.plans import Field, Selection

_background: set[asyncio.Future[Any]] = set()


class Failed:
    """A position of the response whose field has failed.

    Attributes:
        error: What was raised.
    """

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class State:
    """One execution of an operation.

    Attributes:
        schema: What is executed on.
        operation: What is executed.
        fragments: Of its document, by name.
        variables: Coerced values by name; a variable that was not given and has no default is absent.
        variable_values: The same as graphql-core has them.
        context: Given to every resolver.
        root_value: The parent of root fields.
        failed: Whether some position holds a `Failed`, or a null where none may be.
        chosen: Of positions of abstract type, the selection set that made the object with this identity.
        carried: What carried root fields bring with them (`engine.folding`), by response key.
        unused: Values that were read in vain, since all fields of their level were read again.
    """

    __slots__ = (
        "carried",
        "chosen",
        "context",
        "failed",
        "fragments",
        "operation",
        "root_value",
        "schema",
        "unused",
        "variable_values",
        "variables",
    )

    def __init__(  # noqa: PLR0913  (the record of an execution)
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variable_values: VariableValues,
        *,
        context: Any,
        root_value: Any,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.fragments = fragments
        self.variable_values = variable_values
        self.variables: Mapping[str, Any] = variable_values.coerced
        self.context = context
        self.root_value = root_value
        self.failed = False
        self.chosen: dict[int, Selection] = {}
        self.carried: dict[str, Any] = {}
        self.unused: list[Any] = []

    def fail(self, error: Exception) -> Failed:
        """Take note of a failure, and return what its position holds."""
        self.failed = True
        return Failed(error)

    def close_unused(self) -> None:
        """Close coroutines that were read in vain, unless they are those that were read again and awaited."""
        while self.unused:
            value = self.unused.pop()
            if isinstance(value, list | tuple):
                self.unused.extend(value)
            elif isinstance(value, CoroutineType) and getcoroutinestate(value) == CORO_CREATED:
                value.close()

    def info(self, field: Field, path: Path) -> GraphQLResolveInfo[Any]:
        """Return what a resolver is told of where it is."""
        return GraphQLResolveInfo(
            field.name,
            field.nodes,
            field.type,
            field.parent,
            path,
            self.schema,
            self.fragments,
            self.root_value,
            self.operation,
            self.variable_values,
            self.context,
            is_awaitable,
            None,
            _HELPERS,
        )


def _track(values: Sequence[Any]) -> None:
    """Let what nobody waits for any more come to its end."""
    for value in values:
        if is_awaitable(value):
            future = asyncio.ensure_future(_ended(value))
            _background.add(future)
            future.add_done_callback(_background.discard)


async def _ended(awaitable: Awaitable[Any]) -> None:
    await asyncio.gather(awaitable, return_exceptions=True)


def _gather(values: Sequence[Awaitable[Any]]) -> Awaitable[list[Any]]:
    return gather_with_cancel(*values)


_HELPERS = GraphQLResolveInfoHelpers(gather=_gather, track=_track)
