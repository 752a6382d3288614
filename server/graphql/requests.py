"""What a GraphQL request says, checked member by member."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import orjson

from core.errors import BadRequest, BadUserInput, LimitExceeded

JSON_LENGTH = 1_000
"""Values of one list or object; four times what any argument takes."""

JSON_VALUES = 20_000
"""Values of a whole request; 250 inputs of 80 values each."""

JSON_DEPTH = 64
"""Objects and arrays within each other; inputs of this schema need eight."""

_PARAMETERS_AT_MOST = 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DOCUMENT_ID = re.compile(r"sha256:([0-9a-f]{64})")
_GET_MEMBERS = ("query", "documentId", "operationName", "variables", "extensions")


@dataclasses.dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A well-formed request for one operation.

    Attributes:
        query: The document; None where the client sends its hash alone.
        sha256: Hash of a document, 64 lower-case hexadecimal digits; None where the client sends only the text.
        operation_name: None for the only operation of the document.
        variables: By name, not yet coerced.
        extensions: Whatever else the client says.
    """

    query: str | None
    sha256: str | None
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]


def read_json(body: bytes) -> GraphQLRequest:
    """Read a request from a JSON body.

    Raises:
        BadRequest: It is not JSON in UTF-8, not an object, or a member is of the wrong type.
        LimitExceeded: It is nested too deeply.
        BadUserInput: A string among the variables holds U+0000.
    """
    return read_members(_decoded(body, "The body"))


def read_message(text: str) -> object:
    """Read the JSON of a message that came over a socket; what it asks is read by `read_payload`.

    Raises:
        BadRequest: It is not JSON.
        LimitExceeded: It is nested too deeply.
    """
    return _parsed(text.encode(), "A message")


def read_payload(payload: dict[str, Any], text: str) -> GraphQLRequest:
    """Read the request in a message.

    Args:
        payload: The member of the message that holds the request.
        text: Of the whole message.

    Raises:
        BadRequest: A member is of the wrong type, or no document is named.
        LimitExceeded: It holds too many values.
        BadUserInput: A string among the variables holds U+0000.
    """
    if text.count(",") >= JSON_LENGTH:
        _check_size(payload)
    if "\\u0000" in text:
        _check_characters(payload.get("variables"))
    return read_members(payload)


def read_query_string(text: bytes) -> GraphQLRequest:
    """Read a request from the query string of a GET.

    Raises:
        BadRequest: It is not UTF-8, names a parameter twice, or one is of the wrong type.
        LimitExceeded: A parameter is nested too deeply.
        BadUserInput: A string among the variables holds U+0000.
    """
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS_AT_MOST
        )
    except ValueError:
        raise BadRequest("The query string cannot be read; percent-encode its values in UTF-8.") from None
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name not in _GET_MEMBERS:
            continue
        if name in members:
            raise BadRequest(f"Send the parameter {name} only once.")
        is_json = value and name in {"variables", "extensions"}
        members[name] = _decoded(value.encode(), f"The parameter {name}") if is_json else value
    return read_members({name: value for name, value in members.items() if value != ""})


def read_members(members: object) -> GraphQLRequest:
    """Check the members of a request that came as JSON; those that we do not know are ignored.

    Raises:
        BadRequest: It is no object, a member is of the wrong type, or no document is named.
    """
    if isinstance(members, list):
        raise BadRequest("Batches are not served; send each operation in a request of its own.")
    if not isinstance(members, dict):
        raise BadRequest("A request is a JSON object with the member query or documentId.")
    extensions = _object(members, "extensions")
    query = _text(members, "query")
    document_id = _text(members, "documentId")
    if query is not None and document_id is not None:
        raise BadRequest("Send either query or documentId.")
    sha256 = _persisted_hash(extensions) if document_id is None else _hash_of_id(document_id)
    if query is None and sha256 is None:
        raise BadRequest("A request needs the member query or documentId.")
    operation_name = _text(members, "operationName")
    return GraphQLRequest(query, sha256, operation_name or None, _object(members, "variables"), extensions)


def _decoded(text: bytes, what: str) -> Any:
    value = _parsed(text, what)
    if text.count(b",") >= JSON_LENGTH:
        _check_size(value)
    if b"\\u0000" in text:
        variables = value.get("variables") if what == "The body" and isinstance(value, dict) else value
        _check_characters(variables)
    return value


def _parsed(text: bytes, what: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("depth limit"):
            raise _too_deep() from None
        raise BadRequest(f"{what} is not valid JSON in UTF-8; check its quotes, brackets and numbers.") from None
    if text.count(b"[") + text.count(b"{") > JSON_DEPTH:
        _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(JSON_DEPTH):
        level = [item for container in level for item in _items(container) if isinstance(item, dict | list)]
        if not level:
            return
    raise _too_deep()


def _check_size(value: object) -> None:
    # Coercing a variable takes some microseconds for each of its values, right or wrong.
    level, left = [value], JSON_VALUES
    while level:
        for container in level:
            if isinstance(container, dict | list) and len(container) > JSON_LENGTH:
                raise LimitExceeded(
                    f"A list or object in JSON may hold {JSON_LENGTH:,} values; send less.", which="json_length"
                )
        level = [item for container in level for item in _items(container)]
        left -= len(level)
        if left < 0:
            raise LimitExceeded(f"A request may hold {JSON_VALUES:,} values; send less at once.", which="json_values")


def _check_characters(value: object) -> None:
    # GraphQL strings may hold U+0000, and PostgreSQL's may not: the client hears it before anything is tried.
    level = [value]
    while level:
        if any(isinstance(item, str) and "\0" in item for item in level):
            raise BadUserInput("Strings may not contain the character U+0000; leave it out.")
        level = [item for container in level for item in _items(container)]


def _items(container: object) -> Iterator[object]:
    if isinstance(container, dict):
        yield from container.values()
    elif isinstance(container, list):
        yield from container


def _too_deep() -> LimitExceeded:
    return LimitExceeded(f"JSON may be nested {JSON_DEPTH} levels deep; flatten it.", which="json_depth")


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(f"The member {name} must be a string.")


def _object(members: dict[str, Any], name: str) -> dict[str, Any]:
    value = members.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise BadRequest(f"The member {name} must be an object.")


def _hash_of_id(document_id: str) -> str:
    found = _DOCUMENT_ID.fullmatch(document_id)
    if found is None:
        raise BadRequest("A documentId is sha256: and the 64 lower-case hexadecimal digits of the document's hash.")
    return found[1]


def _persisted_hash(extensions: dict[str, Any]) -> str | None:
    """Return the hash of Apollo's automatic persisted queries, where a request uses them."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise BadRequest("extensions.persistedQuery must be an object of version 1.")
    sha256 = persisted.get("sha256Hash")
    if not isinstance(sha256, str) or _SHA256.fullmatch(sha256) is None:
        raise BadRequest("extensions.persistedQuery.sha256Hash must be 64 lower-case hexadecimal digits.")
    return sha256
