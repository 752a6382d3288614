"""The rules that documents are validated by: graphql-core's, the dear ones asked last."""

from collections.abc import Sequence
from typing import Any

from graphql import ASTValidationRule, OperationDefinitionNode, specified_rules
from graphql.validation import NoUndefinedVariablesRule, NoUnusedVariablesRule, VariablesInAllowedPositionRule


class _NoUndefinedVariables(NoUndefinedVariablesRule):
    """Looks for variables at the end of an operation.

    Finding them takes as long as all else, and a document whose first fields are wrong never gets so far.
    """

    enter_operation_definition = None  # type: ignore[assignment]

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        super().enter_operation_definition(operation)


class _NoUnusedVariables(NoUnusedVariablesRule):
    """The same for variables that nobody uses; fragments declare none."""

    enter_operation_definition = None  # type: ignore[assignment]
    enter_fragment_definition = None  # type: ignore[assignment]

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        super().enter_operation_definition(operation)


_LATE: dict[type[ASTValidationRule], type[ASTValidationRule]] = {
    NoUndefinedVariablesRule: _NoUndefinedVariables,
    NoUnusedVariablesRule: _NoUnusedVariables,
}
_RULES = tuple(_LATE.get(rule, rule) for rule in specified_rules)
_ABOUT_VARIABLES = frozenset({*_LATE.values(), VariablesInAllowedPositionRule})
_WITHOUT_VARIABLES = tuple(rule for rule in _RULES if rule not in _ABOUT_VARIABLES)


def rules_of(text: str) -> Sequence[type[ASTValidationRule]]:
    """Return the rules that a document can break: none about variables where it has no `$`."""
    return _RULES if "$" in text else _WITHOUT_VARIABLES
