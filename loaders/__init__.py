"""Batched reads by key, one set of them for each operation."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from core.database import TenantDatabase
from loaders.batches import Batch
from loaders.batching import Relation
from models.scopes import Scope


class Loaders:
    """The loaders of an operation: equal reads are made once, and together."""

    __slots__ = ("_batches", "_database")

    def __init__(self, database: TenantDatabase) -> None:
        self._database = database
        self._batches: dict[Any, Batch] = {}
        database.on_write(self._batches.clear)

    def load(self, relation: Relation, key: Any, scope: Scope, arguments: Mapping[str, Any]) -> "asyncio.Future[Any]":
        """Read what a relation holds for a key.

        Args:
            relation: From one of the modules here.
            key: The parent's key.
            scope: What is seen.
            arguments: Of the field; hashable values.

        Returns:
            A future of a row, a list of rows or a page. One waiter's cancellation does not reach the others.
        """
        return asyncio.shield(self._batch(relation, scope, arguments).load(key))

    def load_list(
        self, relation: Relation, keys: Sequence[Any], scope: Scope, arguments: Mapping[str, Any], *, alone: bool
    ) -> Awaitable[list[Any]]:
        """Read what a relation holds for all parents of a level.

        Args:
            relation: From one of the modules here.
            keys: Of the parents; they may repeat. For None there is no row, or no rows.
            scope: What is seen.
            arguments: Of the field; hashable values.
            alone: Nothing else of the operation uses the relation with these arguments, so the read starts at once;
                otherwise it is made together with what is asked within the same turn of the event loop.

        Returns:
            One result a key, in their order. One waiter's cancellation does not reach the others.
        """
        return self._batch(relation, scope, arguments).load_list(keys, alone=alone)

    def _batch(self, relation: Relation, scope: Scope, arguments: Mapping[str, Any]) -> Batch:
        identity = (relation, scope, *arguments.items())
        batch = self._batches.get(identity)
        if batch is None:
            batch = self._batches[identity] = relation.batch(self._database, scope, arguments)
        return batch
