"""Refusals of HTTP requests before GraphQL is reached, and of the documents they name."""

from typing import ClassVar

from core.errors import BadRequest, DeadlineExceeded, LimitExceeded


class MethodNotAllowed(BadRequest):
    """The method is not one that the operation may be sent by.

    Attributes:
        allowed: Value of the `Allow` header.
    """

    status: ClassVar[int] = 405

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptable(BadRequest):
    """The client accepts no media type that we can answer in."""

    status: ClassVar[int] = 406


class BodyLate(DeadlineExceeded):
    """The body did not arrive within the time of the request."""

    status: ClassVar[int] = 408


class BodyTooLarge(LimitExceeded):
    """The body is longer than the limit."""

    status: ClassVar[int] = 413


class UnsupportedMediaType(BadRequest):
    """The body is not JSON in UTF-8, by its own description."""

    status: ClassVar[int] = 415
