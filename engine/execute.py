"""The one place where an operation is executed."""

import inspect
from typing import Any

from graphql import ExecutionResult, GraphQLSchema
from graphql import execute as execute_by_interpreter

from engine.documents import Document


async def execute(
    schema: GraphQLSchema,
    document: Document,
    *,
    operation_name: str | None,
    variables: dict[str, Any] | None,
    context: object,
) -> ExecutionResult:
    """Run one query or mutation to its end.

    Cancelling the caller cancels every resolver that is still running; nothing is shielded here.

    Args:
        schema: The schema that the document was validated against.
        document: A document without failures.
        operation_name: None or empty for the only operation of the document.
        variables: As the client sent them, not yet coerced.
        context: Given to every resolver.

    Raises:
        ValueError: The document has failures, which the caller should have answered.
    """
    if document.tree is None:
        raise ValueError("Only a document without failures can be executed.")
    outcome = execute_by_interpreter(
        schema,
        document.tree,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name or None,
        hide_suggestions=True,
    )
    if inspect.isawaitable(outcome):
        return await outcome
    return outcome
