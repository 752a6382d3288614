"""Answers of the endpoint, from the facts to the bytes."""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Send

from core.errors import RequestError, Unauthenticated
from engine.errors import Failure
from engine.executables import Unchanging
from server.graphql.negotiation import GRAPHQL_RESPONSE, PROBLEM, accepts_problem
from server.graphql.refusals import MethodNotAllowed

VARY = "accept, authorization, galleria-shop"
"""The request headers that an answer depends on."""

_DRAFT_PARTIAL_SUCCESS = 294
_DRAFT_UNPROCESSABLE = frozenset({"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"})


@dataclasses.dataclass(slots=True)
class Answer:
    """An HTTP answer, complete.

    Attributes:
        code: Code of its first error, for logs and metrics.
        data: Its member `data` as JSON, where there are no errors.
    """

    status: HTTPStatus | int
    body: bytes
    headers: dict[str, str]
    code: str | None = None
    data: bytes | None = None

    async def send(self, send: Send) -> None:
        """Hand the answer to the server."""
        if self.status != HTTPStatus.NOT_MODIFIED:
            self.headers["content-length"] = str(len(self.body))
        headers = [(_header_name(name), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": int(self.status), "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@functools.lru_cache(maxsize=100)
def _header_name(name: str) -> bytes:
    return name.encode("ascii")


def result_answer(
    data: object, failures: Sequence[Failure], extensions: Mapping[str, Any], *, media_type: str, request_id: str
) -> Answer:
    """Answer with the result of an execution, whether all of it succeeded or not."""
    if not failures:
        return data_answer(_encoded(data), extensions, media_type=media_type, request_id=request_id)
    errors = [failure.formatted(request_id) for failure in failures]
    payload: dict[str, Any] = {"errors": errors, "data": data}
    if extensions:
        payload["extensions"] = extensions
    answer = _answer(HTTPStatus.OK, payload, media_type=media_type, request_id=request_id)
    answer.code = failures[0].code
    return answer


def _encoded(data: object) -> bytes:
    if type(data) is not Unchanging:
        return orjson.dumps(data)
    if data.encoded is None:
        data.encoded = orjson.dumps(data)
    return data.encoded


def data_answer(data: bytes, extensions: Mapping[str, Any], *, media_type: str, request_id: str) -> Answer:
    """Answer with data that is JSON already, and with extensions, which may be empty."""
    end = b',"extensions":' + orjson.dumps(extensions) + b"}" if extensions else b"}"
    headers = _headers(media_type, request_id)
    return Answer(HTTPStatus.OK, b'{"data":' + data + end, headers, data=data)


def priced_answer(extensions: Mapping[str, Any], *, media_type: str, request_id: str) -> Answer:
    """Answer with the price of an operation that was not run: there is no data, and no error either."""
    return _answer(HTTPStatus.OK, {"extensions": extensions}, media_type=media_type, request_id=request_id)


def failed_answer(failures: Sequence[Failure], *, media_type: str, request_id: str) -> Answer:
    """Answer that nothing was executed, because of the document, its operation or its variables."""
    status = HTTPStatus.BAD_REQUEST if media_type == GRAPHQL_RESPONSE else HTTPStatus.OK
    payload = {"errors": [failure.formatted(request_id) for failure in failures]}
    answer = _answer(status, payload, media_type=media_type, request_id=request_id)
    answer.code = failures[0].code
    return answer


def with_draft_status(answer: Answer) -> Answer:
    """Give an answer the finer status codes of the draft, where its media type is the draft's.

    Source: GraphQL over HTTP, section 6.4.2: 422 for a request that was read and makes no sense, 294 for a result that
    has errors.
    """
    if not answer.headers["content-type"].startswith(GRAPHQL_RESPONSE) or answer.code is None:
        return answer
    if answer.status == HTTPStatus.OK:
        answer.status = _DRAFT_PARTIAL_SUCCESS
    elif answer.status == HTTPStatus.BAD_REQUEST and answer.code in _DRAFT_UNPROCESSABLE:
        answer.status = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer


def refused_answer(refusal: RequestError, *, media_type: str, accept: str, request_id: str) -> Answer:
    """Answer that the request is refused as a whole."""
    failure = Failure(refusal.message, refusal.code, extensions=refusal.extensions)
    answer = stopped_answer(failure, status=refusal.status, media_type=media_type, accept=accept, request_id=request_id)
    if isinstance(refusal, MethodNotAllowed):
        answer.headers["allow"] = refusal.allowed
    if isinstance(refusal, Unauthenticated):
        answer.headers["www-authenticate"] = "Bearer"
    retry_after = refusal.extensions.get("retryAfterMs")
    if isinstance(retry_after, int):
        answer.headers["retry-after"] = str(-(-retry_after // 1000))
    return answer


def stopped_answer(failure: Failure, *, status: int, media_type: str, accept: str, request_id: str) -> Answer:
    """Answer before any operation ran: as problem details where the client names them, else as a GraphQL error."""
    if accepts_problem(accept):
        payload = _problem(failure, status, request_id)
        answer = _answer(status, payload, media_type=PROBLEM, request_id=request_id)
    else:
        payload = {"errors": [failure.formatted(request_id)]}
        answer = _answer(status, payload, media_type=media_type, request_id=request_id)
    answer.code = failure.code
    return answer


def with_validator(answer: Answer, if_none_match: str | None, *, digest: str | None = None) -> Answer:
    """Let caches keep the answer to a GET, and ask whether it is still the same.

    Args:
        answer: A result; one with errors names its request and is left as it is.
        if_none_match: The header of this name, with the tags that the client has.
        digest: Of the body, where it is known.
    """
    if answer.code is not None:
        return answer
    tag = f'"{digest or hashlib.sha256(answer.body).hexdigest()}"'
    answer.headers["etag"] = tag
    answer.headers["cache-control"] = "private, no-cache"
    if if_none_match is not None and _matches(tag, if_none_match):
        answer.status, answer.body = HTTPStatus.NOT_MODIFIED, b""
        del answer.headers["content-type"]
    return answer


def _matches(tag: str, if_none_match: str) -> bool:
    # The comparison is the weak one (RFC 9110, 13.1.2): proxies mark tags as weak when they compress.
    tags = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(found in {tag, "*"} for found in tags)


def _problem(failure: Failure, status: int, request_id: str) -> dict[str, Any]:
    own: Mapping[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": failure.message,
        "code": failure.code,
        "requestId": request_id,
    }
    return {**failure.extensions, **own}


def _answer(status: int, payload: object, *, media_type: str, request_id: str) -> Answer:
    return Answer(status, orjson.dumps(payload), _headers(media_type, request_id))


def _headers(media_type: str, request_id: str) -> dict[str, str]:
    charset = "" if media_type == PROBLEM else "; charset=utf-8"
    return {
        "content-type": media_type + charset,
        "cache-control": "no-store",
        "vary": VARY,
        "x-request-id": request_id,
    }
