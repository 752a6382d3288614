"""What the driver and PostgreSQL refuse, in the terms of `core.errors`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg

from core.errors import BadUserInput, ConstraintViolated, Contended, DeadlineExceeded, GalleriaError, Overloaded

_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
)
"""There is no connection, or there was one: nothing is wrong with the request, and it may be tried again."""


READ_REFUSALS = (*_UNREACHABLE, asyncpg.QueryCanceledError)
"""What connecting and reading raise that `translated` has a name for."""


@contextmanager
def told() -> Iterator[None]:
    """Translate what connecting and reading raise in the block.

    Raises:
        DeadlineExceeded: A statement took longer than it may.
        Overloaded: There is no connection to be had now.
    """
    try:
        yield
    except READ_REFUSALS as error:
        raise translated(error) or error from error


def translated(error: BaseException) -> GalleriaError | None:
    """Return what an exception of the driver's means to a caller; None where we do not know."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintViolated(error.sqlstate, error.constraint_name or error.column_name or "")
    if isinstance(error, asyncpg.TransactionRollbackError):
        return Contended("Others are changing the same things; try again.")
    if isinstance(error, asyncpg.QueryCanceledError):
        return DeadlineExceeded("This took too long; ask for less at once.")
    if isinstance(error, _UNREACHABLE):
        return Overloaded("The server is busy; try again in a moment.")
    return None


def check_texts(arguments: Sequence[Any]) -> None:
    """Refuse U+0000 before the driver does, which would spoil the transaction for all other reads.

    Raises:
        BadUserInput: A text holds it.
    """
    for argument in arguments:
        for each in argument if isinstance(argument, list) else (argument,):
            if isinstance(each, str) and "\0" in each:
                raise BadUserInput("A text holds the character U+0000, which nothing stored has; leave it out.")
