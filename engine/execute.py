"""The entry of the engine: operations in, results out, on any schema of graphql-core."""

import copy
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Source,
    parse,
    validate,
    validate_schema,
)

from engine.documents import Document, Operation
from engine.executables import Executable, Executor, Unchanging

_KEPT = 500
"""Operations that `graphql` remembers, of all schemas, by their text and name; a schema goes with its last one."""

_known: OrderedDict[tuple[GraphQLSchema, str, str | None], Executable] = OrderedDict()


async def graphql(  # noqa: PLR0913  (the arguments of graphql-core's function of this name)
    schema: GraphQLSchema,
    source: str | Source,
    *,
    root_value: Any = None,
    context_value: Any = None,
    variable_values: dict[str, Any] | None = None,
    operation_name: str | None = None,
    executor: Executor = "compiled",
) -> ExecutionResult:
    """Execute an operation on any schema, as graphql-core's function of this name does.

    Args:
        schema: Any schema of graphql-core, made by whatever library.
        source: The document.
        root_value: Parent of the root fields.
        context_value: Given to every resolver.
        variable_values: As the client sent them.
        operation_name: Where the document has several operations.
        executor: `compiled`; or `reference`, which is graphql-core; or `loaders`, which is compiled without folding.

    Returns:
        The result; syntax and validation errors are in it, with no data.
    """
    text = source.body if isinstance(source, Source) else source
    place = (schema, text, operation_name)
    executable = _known.get(place)
    if executable is None or not executable.is_current:
        made = _executable(schema, source, operation_name)
        if not isinstance(made, Executable):
            return ExecutionResult(None, made)
        executable = _known[place] = made
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    else:
        _known.move_to_end(place)
    result = await executable.execute(variable_values, context=context_value, root_value=root_value, executor=executor)
    # What is kept for all is not the caller's to change.
    return ExecutionResult(copy.deepcopy(dict(result.data)), None) if type(result.data) is Unchanging else result


def _executable(
    schema: GraphQLSchema, source: str | Source, operation_name: str | None
) -> Executable | list[GraphQLError]:
    """Return the operation that is meant, or why there is none."""
    errors = validate_schema(schema)
    if errors:
        return errors
    try:
        document = parse(source)
    except GraphQLError as error:
        return [error]
    errors = validate(schema, document)
    if errors:
        return errors
    operation = _operation(document, operation_name)
    return [operation] if isinstance(operation, GraphQLError) else Executable(schema, document, operation)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | GraphQLError:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name is not None:
        for operation in operations:
            if operation.name is not None and operation.name.value == name:
                return operation
        return GraphQLError(f"Unknown operation named '{name}'.")
    if len(operations) == 1:
        return operations[0]
    if operations:
        return GraphQLError("Must provide operation name if query contains multiple operations.")
    return GraphQLError("Must provide an operation.")


async def subscribe(  # noqa: PLR0913  (the arguments of graphql-core's function of this name)
    schema: GraphQLSchema,
    source: str | Source,
    *,
    root_value: Any = None,
    context_value: Any = None,
    variable_values: dict[str, Any] | None = None,
    operation_name: str | None = None,
) -> AsyncIterator[ExecutionResult] | ExecutionResult:
    """Subscribe to a stream of responses, on any schema; the arguments are those of `graphql`.

    Returns:
        A response for each event, or why there are none.
    """
    made = _executable(schema, source, operation_name)
    if not isinstance(made, Executable):
        return ExecutionResult(None, made)
    return await made.subscribe(variable_values, context=context_value, root_value=root_value)


async def execute(
    document: Document,
    *,
    operation_name: str | None,
    variables: dict[str, Any] | None,
    context: object,
    executor: Executor | None = None,
) -> ExecutionResult:
    """Run one query or mutation of a stored document to its end.

    Cancelling the caller cancels every resolver that is still running; nothing is shielded here.

    Args:
        document: A document without failures.
        operation_name: None or empty for the only operation of the document.
        variables: As the client sent them, not yet coerced.
        context: Given to every resolver.
        executor: Who executes; None for the compiled plan from the document's second sight on.

    Raises:
        ValueError: The document has failures, which the caller should have answered.
    """
    operation = document.operation(operation_name)
    if not isinstance(operation, Operation) or operation.executable is None:
        raise ValueError("Only an operation of a document without failures can be executed.")
    executable = operation.executable
    if executor is None:
        return await executable.execute_when_seen(variables, context=context)
    return await executable.execute(variables, context=context, executor=executor)
