"""What answers about a shop's catalogue depend on: the state of its data, who asks, and the code that answers."""

import asyncio
import contextlib
import functools
import hashlib
import uuid
from pathlib import Path

from graphql import GraphQLSchema, print_schema

from core.database import Database
from core.errors import RequestError
from core.stamps import Stamp
from core.statements import Row
from models import changes
from resolvers.context import ActorKind, Context, Shop

_ROOT = Path(__file__).parent.parent
_FOLDERS = ("core", "engine", "loaders", "models", "resolvers", "schema")
"""Whose code decides what an answer says."""


class CatalogueVersions:
    """Reads the version of a shop's catalogue, and keeps reading it cheap.

    Args:
        database: Where the catalogues are.
        deadline_seconds: What a reading may take.
    """

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        self._database = database
        self._deadline = deadline_seconds
        self._merging: dict[uuid.UUID, asyncio.Task[None]] = {}

    async def read(self, shop_id: uuid.UUID) -> Stamp:
        """Return the stamp of a shop; see `core.stamps.Read`.

        It names the next moment when a listing begins to be sold: answers of before and of after it have different
        stamps, though nothing is written at that moment.
        """
        tenant = self._database.of_tenant(shop_id, statement_timeout_seconds=self._deadline)
        try:
            found = (await tenant.fetch(changes.catalogue_version, alone=True))[0]
        finally:
            await tenant.close()
        if found.changes > changes.MOST_ROWS and shop_id not in self._merging:
            task = self._merging[shop_id] = asyncio.get_running_loop().create_task(self._merge(shop_id))
            task.add_done_callback(lambda _: self._merging.pop(shop_id))
        return _stamp_of(found)

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._merging:
            await asyncio.wait(self._merging.values())

    async def _merge(self, shop_id: uuid.UUID) -> None:
        # Where it fails the next reading tries again.
        with contextlib.suppress(RequestError):
            tenant = self._database.of_tenant(shop_id, statement_timeout_seconds=self._deadline)
            async with tenant.write() as transaction:
                await transaction.execute(changes.changes_merged(shop_id))
                await transaction.commit()


def _stamp_of(found: Row) -> Stamp:
    if found.next_change is None:
        return Stamp(str(found.version))
    return Stamp(f"{found.version}.{found.next_change.timestamp()}", max(0.0, float(found.seconds_until)))


def audience_of(context: Context) -> bytes | None:
    """Return what an answer depends on beside the operation and the catalogue: what is known of the shop already.

    All who hold no permission see the same, signed in or not, as long as each field is open to anyone; whoever holds
    one may see drafts or stock, and is answered anew each time.
    """
    actor = context.actor
    if actor.permissions or actor.kind is ActorKind.SYSTEM:
        return None
    return facts_of(context.shop)


@functools.lru_cache(maxsize=10_000)
def facts_of(shop: Shop) -> bytes:
    """Return a digest of all that is known of a shop in every operation."""
    return hashlib.sha256(repr(shop).encode() + shop.cursor_key).digest()


def generation_of(schema: GraphQLSchema) -> bytes:
    """Return a digest of the schema and of the code that answers: another release never serves this one's answers."""
    digest = hashlib.sha256(print_schema(schema).encode())
    for folder in _FOLDERS:
        for file in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.digest()
