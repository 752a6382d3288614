"""The bytes of an event stream, as GraphQL over SSE has them in its mode of distinct connections.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html and the protocol of graphql-sse.
"""

from http import HTTPStatus

from server.graphql.answers import Answer
from server.graphql.negotiation import EVENT_STREAM

COMPLETE = b"event: complete\ndata:\n\n"
"""The operation has come to its end. Without the empty data a browser's `EventSource` would drop the event."""

PING = b":\n\n"
"""A comment, which clients drop: the connection is seen to live, by both sides and by what is between them."""

HEADERS = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "cache-control": "no-store",
    # nginx would hold events back until there are some kilobytes of them.
    "x-accel-buffering": "no",
}
"""Of every answer that is a stream of events."""


def next_event(payload: bytes, sequence: int | None = None) -> bytes:
    """Frame a result.

    Args:
        payload: The result as JSON, which has no line breaks.
        sequence: What the client is to send as `Last-Event-ID` to go on after this one; None leaves that as it was.
    """
    if sequence is None:
        return b"event: next\ndata: %b\n\n" % payload
    return b"event: next\nid: %d\ndata: %b\n\n" % (sequence, payload)


def cursor(sequence: int) -> bytes:
    """Frame a ping that brings what the client is to send as `Last-Event-ID`, though nothing happened for it."""
    return b":\nid: %d\n\n" % sequence


def retry(milliseconds: int) -> bytes:
    """Frame after how long a client is to come again once the stream has ended."""
    return b"retry: %d\n\n" % milliseconds


def as_events(answer: Answer) -> Answer:
    """Turn the result of a query or mutation into a stream of one result; what is no result stays as it is."""
    if answer.status == HTTPStatus.OK:
        answer.body = next_event(answer.body) + COMPLETE
        answer.headers |= HEADERS
    return answer
