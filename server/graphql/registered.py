"""Documents that are registered beforehand, from a file that a client's build writes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from core.errors import ConfigurationError
from server.graphql.persisted import hash_of

_APOLLO_FORMAT = "apollo-persisted-query-manifest"


def registered_documents(path: Path) -> Mapping[str, str]:
    """Read a file of documents.

    It is either a JSON object of texts by any key, as Relay's compiler writes it, or Apollo's persisted query manifest.

    Returns:
        The texts by their SHA-256, which is made here and not believed.

    Raises:
        ConfigurationError: It is no such file.
    """
    try:
        content = orjson.loads(path.read_bytes())
        return {hash_of(text): text for text in _texts(content)}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"GALLERIA_REGISTERED_DOCUMENTS: {path} is no JSON object of documents and no persisted query manifest "
            f"({type(error).__name__}). Let the build of the client write it again."
        ) from None


def _texts(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        raise TypeError("the file holds an object")
    of_apollo = content.get("format") == _APOLLO_FORMAT
    texts = [each["body"] for each in content["operations"]] if of_apollo else list(content.values())
    for text in texts:
        if not isinstance(text, str):
            raise TypeError("a document is a text")
        yield text
