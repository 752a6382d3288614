"""Documents that a shop's clients name by their hash."""

import hashlib
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol

from core.errors import BadRequest, Forbidden
from engine.errors import Failure
from server.graphql.requests import GraphQLRequest

NOT_FOUND = Failure("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
"""The message is the one that clients of automatic persisted queries look for before they send the text."""

DOCUMENTS_OF_SHOP = 500
CHARACTERS_OF_ALL = 20_000_000
"""A thousand documents of the greatest length, or some fifty thousand usual ones."""

TOLD_AGAIN_SECONDS = 60.0
"""A client sends text and hash again when another process did not know the hash; and a few send both each time."""

_TOLD_AT_MOST = 20_000
_HASH = re.compile("[0-9a-f]{64}")


class PersistedDocuments(Protocol):
    """Where the documents of shops are kept; the key holds the shop, so that no shop sees or fills another's."""

    async def find(self, shop_id: uuid.UUID, sha256: str) -> str | None:
        """Return the text of a document of this shop."""

    async def keep(self, shop_id: uuid.UUID, text: str) -> None:
        """Keep a document under its own hash; an implementation may drop the ones that are least in use."""


class DocumentsInProcess:
    """Keeps documents in the memory of this process, within bounds per shop and over all.

    Documents that are registered beforehand are every shop's, and are never dropped.
    """

    def __init__(
        self,
        *,
        registered: Mapping[str, str] | None = None,
        documents_of_shop: int = DOCUMENTS_OF_SHOP,
        characters: int = CHARACTERS_OF_ALL,
    ) -> None:
        self._registered = registered or {}
        self._documents_of_shop = documents_of_shop
        self._characters_allowed = characters
        self._characters = 0
        self._shops: OrderedDict[uuid.UUID, OrderedDict[str, str]] = OrderedDict()

    async def find(self, shop_id: uuid.UUID, sha256: str) -> str | None:
        """Return the text of a document of this shop."""
        if sha256 in self._registered:
            return self._registered[sha256]
        documents = self._shops.get(shop_id)
        if documents is None or sha256 not in documents:
            return None
        self._shops.move_to_end(shop_id)
        documents.move_to_end(sha256)
        return documents[sha256]

    async def keep(self, shop_id: uuid.UUID, text: str) -> None:
        """Keep a document, dropping the shop's least recently used ones, then those of the most idle shop."""
        documents = self._shops.setdefault(shop_id, OrderedDict())
        self._shops.move_to_end(shop_id)
        sha256 = hash_of(text)
        if sha256 in documents:
            return
        documents[sha256] = text
        self._characters += len(text)
        while len(documents) > self._documents_of_shop:
            self._drop_oldest(documents)
        while self._characters > self._characters_allowed:
            idle_id, idle = next(iter(self._shops.items()))
            self._drop_oldest(idle)
            if not idle:
                del self._shops[idle_id]

    def _drop_oldest(self, documents: OrderedDict[str, str]) -> None:
        _, text = documents.popitem(last=False)
        self._characters -= len(text)


class Texts(Protocol):
    """Where all processes look for texts, such as `core.shared_texts.SharedTexts`."""

    async def get(self, tenant: uuid.UUID, name: str) -> str | None:
        """Return a text of a tenant's; None where there is none, or nobody to ask."""

    async def put(self, tenant: uuid.UUID, name: str, text: str) -> bool:
        """Keep a text of a tenant's, and tell whether it is kept."""


class SharedDocuments:
    """Keeps documents in this process and where all processes look, which is asked for what this one does not know.

    Args:
        local: Of this process.
        shared: Of all; it may be out of reach.
        timer: Tells seconds.
    """

    def __init__(
        self, local: PersistedDocuments, shared: Texts, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._local = local
        self._shared = shared
        self._timer = timer
        self._told: OrderedDict[tuple[uuid.UUID, str], float] = OrderedDict()

    async def find(self, shop_id: uuid.UUID, sha256: str) -> str | None:
        """Return the text of a document of this shop."""
        known = await self._local.find(shop_id, sha256)
        if known is not None or not _HASH.fullmatch(sha256):
            return known
        text = await self._shared.get(shop_id, sha256)
        if text is None or hash_of(text) != sha256:
            return None
        await self._local.keep(shop_id, text)
        return text

    async def keep(self, shop_id: uuid.UUID, text: str) -> None:
        """Keep a document, and tell the others of it, unless they were told a moment ago."""
        await self._local.keep(shop_id, text)
        key = shop_id, hash_of(text)
        if self._timer() - self._told.get(key, float("-inf")) < TOLD_AGAIN_SECONDS:
            return
        if await self._shared.put(*key, text):
            self._told[key] = self._timer()
            self._told.move_to_end(key)
            if len(self._told) > _TOLD_AT_MOST:
                self._told.popitem(last=False)


async def text_of(
    request: GraphQLRequest, documents: PersistedDocuments, shop_id: uuid.UUID, *, registered_only: bool
) -> str | Failure:
    """Return the text of the document that a request means.

    Args:
        request: It names a document by its text, its hash or both.
        documents: Where hashes are looked up.
        shop_id: Whose documents they are.
        registered_only: Refuse a text that is not among the documents, whatever its hash.

    Raises:
        BadRequest: Text and hash do not belong together.
        Forbidden: The text is not registered, where only registered ones are served.
    """
    if request.query is None:
        return await documents.find(shop_id, request.sha256 or "") or NOT_FOUND
    if request.sha256 is None and not registered_only:
        return request.query
    sha256 = hash_of(request.query)
    if request.sha256 not in {None, sha256}:
        raise BadRequest("The hash is not the SHA-256 of the query in UTF-8.")
    if registered_only and await documents.find(shop_id, sha256) is None:
        raise Forbidden("Only registered documents are served here; register this one, or send the id of another.")
    return request.query


def hash_of(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in lower-case hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
