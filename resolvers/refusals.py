"""Expected refusals of mutations: values that travel in the payload."""

import dataclasses
import enum
import re
import uuid

from core.errors import ConstraintViolated


class ErrorCode(enum.StrEnum):
    """Why something was refused; one vocabulary for the whole API."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    NOT_FOUND = "NOT_FOUND"
    DUPLICATE = "DUPLICATE"
    IN_USE = "IN_USE"
    TOO_MANY = "TOO_MANY"
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
        existing_id: Global id of the other object, where it can be told.
        constraint: Name of the constraint that keeps the value unique.
    """

    field: str = ""
    existing_id: str | None = None
    constraint: str = ""


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


def invalid(message: str, *path: str) -> Refusal:
    """Refuse a value that cannot be."""
    return Refusal(ErrorCode.INVALID, message, path or None)


def required(*path: str) -> Refusal:
    """Refuse to empty what must not be empty."""
    return Refusal(ErrorCode.REQUIRED, "This cannot be empty; give a value, or leave it out.", path)


def too_many(most: int, *path: str) -> Refusal:
    """Refuse one more than there may be."""
    return Refusal(ErrorCode.TOO_MANY, f"There may be at most {most:,} of these.", path or None)


def refusal_of(violation: ConstraintViolated, column: str, *, by_id: bool = False) -> Refusal:
    """Read a refusal off the constraint that refused a row.

    Args:
        violation: What the database says.
        column: The column that the constraint is about.
        by_id: Whether the client named the row alone, and gave no values to blame.
    """
    field = camel(_FIELDS.get(column, column))
    path = ("id",) if by_id else ("input", field)
    if violation.kind == _FOREIGN_KEY:
        return not_found(*path)
    if violation.kind == _UNIQUE:
        message = f"There is another with this {field} already."
        return Duplicate(ErrorCode.DUPLICATE, message, path, field, None, violation.constraint)
    if violation.kind == _NOT_NULL:
        return required(*path)
    return invalid("This value is out of bounds or has the wrong form.", *path)


def in_use(message: str) -> Refusal:
    """Refuse to delete what something else needs."""
    return Refusal(ErrorCode.IN_USE, message, ("id",))


_NOT_NULL, _FOREIGN_KEY, _UNIQUE = "23502", "23503", "23505"

_FIELDS = {"author_subject": "product_id", "not_oversold": "on_hand", "price_minor": "price"}
"""What clients call a column, or the condition of a check, where it is not simply its name."""
