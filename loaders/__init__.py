"""Batched reads by key, one set of them for each operation."""

import asyncio
from collections.abc import Mapping
from typing import Any

from core.database import TenantDatabase
from loaders.batching import Batch, Relation
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
        identity = (relation, scope, *arguments.items())
        batch = self._batches.get(identity)
        if batch is None:
            batch = self._batches[identity] = Batch(relation, self._database, scope, arguments)
        return asyncio.shield(batch.load(key))
