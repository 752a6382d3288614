"""Documents that a shop's clients name by their hash."""

import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

from core.errors import BadRequest, Forbidden
from engine.errors import Failure
from server.graphql.requests import GraphQLRequest

NOT_FOUND = Failure("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
"""The message is the one that clients of automatic persisted queries look for before they send the text."""

DOCUMENTS_OF_SHOP = 500
CHARACTERS_OF_ALL = 20_000_000
"""A thousand documents of the greatest length, or some fifty thousand usual ones."""


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
