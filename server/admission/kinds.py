"""How important a request is, known by what its document turned out to be when it was last read."""

import enum

from graphql import OperationType

from engine.documents import Operation
from server.graphql.requests import GraphQLRequest

KNOWN = 5_000
"""Operations whose kind is remembered."""


class Kind(enum.IntEnum):
    """Kinds of operations, those that are given up last first: a mutation is an order, a query is asked again."""

    MUTATION = 0
    QUERY = 1
    INTROSPECTION = 2

    @classmethod
    def of(cls, operation: Operation) -> "Kind | None":
        """Return the kind of an operation; None of a subscription, which is bounded by itself."""
        if operation.type is OperationType.SUBSCRIPTION:
            return None
        if operation.type is OperationType.MUTATION:
            return cls.MUTATION
        return cls.INTROSPECTION if operation.introspects else cls.QUERY


class Kinds:
    """The kinds of the operations that were seen; what was not is a query until it has been parsed.

    So nobody chooses his kind: only what the server itself has read of a document counts, and whom it remembers.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # By hashes, which differ from process to process: a thousand long documents are not to be kept for this.
        self._known: dict[tuple[int, str | None], Kind | None] = {}

    def note(self, request: GraphQLRequest, operation: Operation) -> None:
        """Remember what a request has turned out to ask for."""
        key = hash(request.query or request.sha256), request.operation_name
        if key in self._known:
            return
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[key] = Kind.of(operation)

    def of(self, request: GraphQLRequest, *, is_signed_in: bool, otherwise: Kind | None = Kind.QUERY) -> Kind | None:
        """Return what a request asks for; None of a subscription.

        Args:
            request: What is asked.
            is_signed_in: Whether it is remembered who asks. Nobody else is more important than a query, or mutations
                that are refused for want of a permission would hold back queries.
            otherwise: What it is taken for where it is not known what it asks.
        """
        kind = self._known.get((hash(request.query or request.sha256), request.operation_name), otherwise)
        return Kind.QUERY if kind is Kind.MUTATION and not is_signed_in else kind
