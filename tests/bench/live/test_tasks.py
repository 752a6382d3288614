"""The audience of a server: it hears each event once, and says what is wrong otherwise."""

import pytest

from bench.live import tasks
from bench.live.contenders import customers
from bench.live.frames import TEXT
from bench.live.hall import Hall, Hello
from bench.live.messages import event_of, hello, shape
from bench.live.worker import audience
from bench.machine import Cores
from core.errors import ConfigurationError

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
ANYBODY = Hello(b"{}", b"{}")
PEOPLE = 20


def served(text, kind=TEXT):
    return bytes((kind, len(text))) + text


@pytest.fixture
def hellos(environ):
    tokens = customers(environ, PEOPLE, "test")

    def make(after, *, ids=("shirt",)):
        return [hello(token, ids, after) for token in tokens]

    return make


def test_an_event_reaches_every_subscriber_once(hall, hellos, publication):
    tasks.enter(hall, hellos("0"))

    for sequence in ("1", "2", "3"):
        found = tasks.spread(hall, publication(), b"{}")

        assert event_of(found.message)["sequence"] == sequence
        assert hall.heard == PEOPLE
        assert 0 <= found.first_ms <= found.last_ms <= found.from_request_ms


def test_those_who_come_back_hear_what_they_have_missed(hall, hellos, publication):
    tasks.publish(hall, [publication() for _ in range(5)], b"{}")

    assert tasks.come_back(hall, hellos("2"), 3) > 0

    assert {line.heard for line in hall.lines} == {3}
    assert event_of(hall.latest)["sequence"] == "5"


def test_one_who_hears_too_much_is_noticed(hall, hellos, publication):
    tasks.publish(hall, [publication() for _ in range(2)], b"{}")

    with pytest.raises(ConfigurationError, match=r"was to hear 1 results; some heard \[(0, )?2\]"):
        tasks.come_back(hall, hellos("0"), 1)


def test_an_audience_is_a_process_that_says_what_failed(port, hellos, publication):
    with audience(port, Cores()) as hearing:
        hearing.do(tasks.enter, hellos("0"))
        assert event_of(hearing.do(tasks.spread, publication(), b"{}").message)["sequence"] == "1"

        with pytest.raises(ConfigurationError, match="refuses to publish an event"):
            hearing.do(tasks.spread, publication(), b"is not in the answer")
        hearing.do(tasks.enter, hellos("2"))
        assert event_of(hearing.do(tasks.spread, publication(), b"{}").message)["sequence"] == "3"


def test_whoever_is_not_known_is_not_let_in(hall):
    with pytest.raises(ConfigurationError, match="closed the socket of a subscriber: 4403 Forbidden"):
        tasks.enter(hall, [hello("forged", ["shirt"], "0")])


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([b"HTTP/1.1 503 Service Unavailable\r\n\r\n"], "does not open a socket: HTTP/1.1 503 Service Unavailable"),
        ([SWITCHED, served(b'{"type":"error","id":"1"}')], 'was told: {"type":"error","id":"1"}'),
        ([SWITCHED, served(b"\x11\x2bForbidden", 0x88)], "closed the socket of a subscriber: 4395 Forbidden"),
        ([SWITCHED], "hung up on subscriber 0"),
    ],
)
def test_a_server_that_refuses_ends_it(telling, answers, reason):
    hall = Hall(telling(*answers))

    with pytest.raises(ConfigurationError) as failed:
        hall.open([ANYBODY], at_once=1) and hall.until(lambda: False, "nothing")

    hall.close()
    assert reason in str(failed.value)


def test_messages_in_pieces_and_two_at_once_are_all_counted(telling):
    ack, ping = served(b'{"type":"connection_ack"}'), served(b"", 0x89)
    result = served(b'{"id":"1","type":"next","payload":{}}')
    hall = Hall(telling(SWITCHED, ack, result + result + ping + result))
    hall.open([ANYBODY], at_once=1)

    hall.until(lambda: hall.heard == 3, "a result")

    hall.require_each(3)
    hall.close()


def test_answers_of_the_same_shape_are_told_from_others():
    event = {"a": {"b": "x"}, "c": 1, "d": None}

    assert shape(event) == shape({"a": {"b": "y"}, "c": 2, "d": None})
    assert shape(event) != shape({"a": {"b": "x"}, "c": 1, "d": False})


@pytest.mark.parametrize(
    "payload",
    [b'{"errors":[{"message":"no"}]}', b'{"data":{"stockChanged":{}}}', b'{"data":{"stockChanged":{"variant":null}}}'],
)
def test_a_message_that_tells_of_no_variant_is_quoted(payload):
    with pytest.raises(ConfigurationError, match="A subscriber was told: "):
        event_of(b'{"id":"1","type":"next","payload":%b}' % payload)
