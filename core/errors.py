"""Exceptions that stop a request.

GalleriaError
├── RequestError             answered to the client with its code; the message is safe to show
│   ├── BadRequest           malformed request, or a value that cannot be right
│   │   ├── BadUserInput     a well-formed request with an argument that is out of bounds
│   │   └── LimitExceeded    one of the fixed limits; `which` names it
│   ├── Unauthenticated      no usable token where one is needed
│   │   └── TokenExpired
│   ├── Forbidden            signed in, but not allowed
│   ├── ShopNotFound         no shop by that name, host or token
│   ├── ShopSuspended
│   ├── CostExceeded         an operation that is dearer than any may be
│   ├── Throttled            the budget is spent; try again after `retry_after_ms`
│   ├── DeadlineExceeded     the request ran out of its time
│   └── Overloaded           no capacity now; try again after `retry_after_seconds`
│       └── Contended        others wrote the same rows in the same moment; nothing was written
├── FileRefused              a file that an operator named cannot be used; the message says what to do
├── BucketsUnavailable       the store of token buckets is out of reach
├── ConstraintViolated       the database refused a row; names the constraint
└── ConfigurationError       the process cannot start; the message says what to do

Expected refusals of a mutation are values, not exceptions: see `resolvers.refusals`.
"""

from typing import Any, ClassVar


class GalleriaError(Exception):
    """Everything that Galleria raises on purpose."""


class ConfigurationError(GalleriaError):
    """The process cannot start; the message says what to do about it."""


class FileRefused(GalleriaError):
    """A file that an operator named cannot be used; the message says what to do about it."""


class BucketsUnavailable(GalleriaError):
    """The store of token buckets is out of reach, and there is none to stand in for it."""


class ConstraintViolated(GalleriaError):
    """The database refused a row.

    Attributes:
        kind: SQLSTATE: 23505 unique, 23503 foreign key, 23514 check, 23502 not null.
        constraint: Name of the constraint, or of the column for 23502.
    """

    def __init__(self, kind: str, constraint: str) -> None:
        super().__init__(f"{kind} {constraint}")
        self.kind = kind
        self.constraint = constraint


class RequestError(GalleriaError):
    """A request that is refused as a whole.

    Attributes:
        code: One of the closed list of request error codes.
        status: HTTP status for a request that is refused before execution.
        extensions: Further facts for the client beside the code.
    """

    code: ClassVar[str] = "BAD_REQUEST"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions: dict[str, Any] = extensions


class BadRequest(RequestError):
    """The request is malformed."""


class BadUserInput(BadRequest):
    """An argument is of the right type and out of its bounds."""

    code = "BAD_USER_INPUT"


class LimitExceeded(BadRequest):
    """A fixed limit is exceeded."""

    code = "LIMIT_EXCEEDED"

    def __init__(self, message: str, *, which: str, **extensions: Any) -> None:
        super().__init__(message, limit=which, **extensions)


class Unauthenticated(RequestError):
    """No usable token where one is needed."""

    code = "UNAUTHENTICATED"
    status = 401


class TokenExpired(Unauthenticated):
    """The token was good and is no longer."""

    code = "TOKEN_EXPIRED"


class Forbidden(RequestError):
    """The actor is known and may not do this."""

    code = "FORBIDDEN"
    status = 403


class ShopNotFound(RequestError):
    """No shop answers to this name, host or token."""

    code = "SHOP_NOT_FOUND"
    status = 404


class ShopSuspended(RequestError):
    """The shop exists and is not served."""

    code = "SHOP_SUSPENDED"
    status = 403


class CostExceeded(RequestError):
    """An operation is dearer than any may be, so asking again is of no use."""

    code = "COST_EXCEEDED"


class Throttled(RequestError):
    """The budget is spent for now."""

    code = "THROTTLED"
    status = 429

    def __init__(self, message: str, *, retry_after_ms: int, **extensions: Any) -> None:
        super().__init__(message, retryAfterMs=retry_after_ms, **extensions)
        self.retry_after_ms = retry_after_ms


class DeadlineExceeded(RequestError):
    """The request ran out of its time."""

    code = "TIMEOUT"
    status = 504


class Overloaded(RequestError):
    """There is no capacity for this request now."""

    code = "OVERLOADED"
    status = 503

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message, retryAfterMs=retry_after_seconds * 1000)
        self.retry_after_seconds = retry_after_seconds


class Contended(Overloaded):
    """The database gave this transaction up in favour of another; it may be run again."""
