"""What a client is told about an error, and what it is not."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import FieldNode, GraphQLError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_REQUEST = "BAD_REQUEST"
BAD_USER_INPUT = "BAD_USER_INPUT"
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
COST_EXCEEDED = "COST_EXCEEDED"
INTERNAL = "INTERNAL"

INTERNAL_MESSAGE = "Something went wrong on our side; quote the request id when you report it."

_LONGEST_MESSAGE = 1_000

_FORMS: Mapping[str, str] = {
    "Date": "write 2026-01-31, as ISO 8601 has it",
    "DateTime": "write 2026-01-31T12:00:00Z, as ISO 8601 has it",
    "Decimal": "write a decimal number such as 12.50",
}
"""How values of scalars are written, by type; the libraries quote Python's parsers instead."""

_REWORDINGS = (
    (re.compile(r"not to be None\.$"), lambda _: "not to be null."),
    (re.compile(r", found: .*", re.DOTALL), lambda _: "."),
    (re.compile(r"Value cannot represent an? (\w+): .*", re.DOTALL), lambda found: _form(found[1])),
    (re.compile(r"(cannot represent (?:an? )?(?:[\w-]+ )*value): .*", re.DOTALL), lambda found: f"{found[1]}."),
)
"""The libraries speak of values as Python writes them, which clients of other languages do not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """An error in the form that a client may see.

    Attributes:
        message: What went wrong and what to do about it.
        code: One of the closed list of request error codes.
        locations: Line and column in the document, both from 1.
        path: Response keys and indices down to the field that failed; empty outside execution.
        extensions: Further facts beside the code.
    """

    message: str
    code: str
    locations: tuple[tuple[int, int], ...] = ()
    path: tuple[str | int, ...] = ()
    extensions: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def formatted(self, request_id: str) -> dict[str, Any]:
        """Return the error as the GraphQL specification spells it."""
        entry: dict[str, Any] = {"message": self.message}
        if self.locations:
            entry["locations"] = [{"line": line, "column": column} for line, column in self.locations]
        if self.path:
            entry["path"] = self.path
        entry["extensions"] = {**self.extensions, "code": self.code, "requestId": request_id}
        return entry


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said about an exception that was raised on purpose."""

    message: str
    code: str
    extensions: Mapping[str, Any] = dataclasses.field(default_factory=dict)


Classify = Callable[[BaseException], Verdict | None]
"""Tells what may be said about an exception; None for one that nobody raised on purpose."""

Report = Callable[[BaseException], None]
"""Takes note of an exception that is masked."""


def document_failures(errors: Iterable[GraphQLError], code: str) -> tuple[Failure, ...]:
    """Return what parsing or validation found, without a trace of the document's tree."""
    return tuple(Failure(_without_exception_text(error), code, _locations(error)) for error in errors)


def result_failures(errors: Sequence[GraphQLError], *, classify: Classify, report: Report) -> list[Failure]:
    """Return the errors of an execution, unexpected ones masked.

    Args:
        errors: As the execution lists them.
        classify: Tells which exceptions were raised on purpose.
        report: Called once for each masked exception, however many fields it has failed.
    """
    reported: set[int] = set()

    def report_once(exception: BaseException) -> None:
        if id(exception) not in reported:
            reported.add(id(exception))
            report(exception)

    return [_result_failure(error, classify, report_once) for error in errors]


def refused_before_execution(errors: Sequence[GraphQLError] | None) -> bool:
    """Tell whether an execution without data never began: its variables or its operation were refused."""
    return bool(errors) and all(error.path is None for error in errors or ())


def _result_failure(error: GraphQLError, classify: Classify, report: Report) -> Failure:
    cause = cause_of(error)
    path = tuple(error.path or ())
    verdict = None if cause is None else classify(cause)
    if verdict is not None:
        return Failure(verdict.message, verdict.code, _locations(error), path, verdict.extensions)
    if not path or (cause is None and _blames_input(error)):
        return Failure(_without_exception_text(error), BAD_USER_INPUT, _locations(error), path)
    report(error if cause is None else cause)
    return Failure(INTERNAL_MESSAGE, INTERNAL, _locations(error), path)


def cause_of(error: GraphQLError) -> BaseException | None:
    """Return the exception that is not GraphQL's own at the bottom of an error; None where there is none."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _blames_input(error: GraphQLError) -> bool:
    """Tell an argument that cannot be read, which points into the arguments, from a result that cannot be written."""
    own = error.original_error if isinstance(error.original_error, GraphQLError) else error
    return bool(own.nodes) and not any(isinstance(node, FieldNode) for node in own.nodes or ())


def _without_exception_text(error: GraphQLError) -> str:
    """Drop what the libraries quote from Python: exceptions, which may name classes, and values."""
    message = error.message
    if cause_of(error) is not None:
        message = message.partition(", but encountered error")[0].rstrip(".") + "."
    for pattern, reworded in _REWORDINGS:
        message = pattern.sub(reworded, message)
    # Names and values of the client's own come back in messages, however long they are.
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"


def _form(scalar: str) -> str:
    return f"This is not a {scalar}; {_FORMS.get(scalar, 'see its description')}."


def _locations(error: GraphQLError) -> tuple[tuple[int, int], ...]:
    return tuple((location.line, location.column) for location in error.locations or ())
