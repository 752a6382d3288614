"""Expected refusals of mutations: values that travel in the payload."""

import dataclasses
import enum
import re
import uuid

from core.errors import ConstraintViolated
from core.ids import encode_global_id


class ErrorCode(enum.StrEnum):
    """Why something was refused; one vocabulary for the whole API."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    NOT_FOUND = "NOT_FOUND"
    DUPLICATE = "DUPLICATE"
    IN_USE = "IN_USE"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    NOT_APPLIED = "NOT_APPLIED"


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that needs no more than words.

    Attributes:
        code: Why.
        message: For people.
        path: Of the argument to blame, as clients write it; None where it is none of them.
    """

    code: ErrorCode
    message: str
    path: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class VersionConflict(Refusal):
    """Somebody else has changed the object since it was read."""

    current_version: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Duplicate(Refusal):
    """Another object has the value already.

    Attributes:
        field: The field of the input, as clients write it.
        existing_id: Global id of the other object, where it is of the same kind.
        column: The field's column.
    """

    field: str = ""
    existing_id: str | None = None
    column: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation did.

    Attributes:
        id: Of the row that was written; None where nothing was.
        refusals: Why nothing was; empty otherwise.
    """

    id: uuid.UUID | None = None
    refusals: tuple[Refusal, ...] = ()


class Refused(Exception):
    """Carries refusals out of a write block, which is thereby rolled back; never leaves `resolvers`."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*refusals)
        self.refusals = refusals


def camel(name: str) -> str:
    """Return a name as clients write it."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def snake(name: str) -> str:
    """Return a name that clients write as columns have it."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def input_path(*names: str) -> tuple[str, ...]:
    """Return the path of a field of the argument `input`."""
    return ("input", *(camel(name) for name in names))


def not_found(*path: str) -> Refusal:
    """Refuse an id that stands for nothing, or for nothing that the actor may see."""
    return Refusal(ErrorCode.NOT_FOUND, "There is no such object.", path or None)


def conflict(current_version: int) -> VersionConflict:
    """Refuse a change that was made from an older state."""
    message = "Somebody has changed this since you read it; read it again."
    return VersionConflict(ErrorCode.VERSION_CONFLICT, message, ("expectedVersion",), current_version)


def duplicate(field: str, type_name: str, existing_id: uuid.UUID | None) -> Duplicate:
    """Refuse a value that another object has."""
    existing = encode_global_id(type_name, existing_id) if existing_id else None
    message = f"Another object has this {camel(field)}."
    return Duplicate(ErrorCode.DUPLICATE, message, input_path(field), camel(field), existing, field)


def refusal_of(violation: ConstraintViolated, table: str, *, deleting: bool = False) -> Refusal:
    """Read a refusal off the constraint that the database names.

    Constraints are named after kind, table and column (`models.base`), so what they say need not be said twice.
    """
    if deleting:
        return Refusal(ErrorCode.IN_USE, "Something else still needs this.", ("id",))
    column = re.sub(rf"^(?:uq|fk|ck|ix|pk)_{table}_", "", violation.constraint)
    if violation.kind == _FOREIGN_KEY:
        return not_found(*input_path(column))
    if violation.kind == _UNIQUE:
        return duplicate(column, "", None)
    if violation.kind == _NOT_NULL:
        return Refusal(ErrorCode.REQUIRED, "This cannot be empty.", input_path(column))
    return Refusal(ErrorCode.INVALID, "This value is out of bounds or has the wrong form.", input_path(column))


_NOT_NULL, _FOREIGN_KEY, _UNIQUE = "23502", "23503", "23505"
