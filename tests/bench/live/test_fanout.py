"""Who subscribes: to the same or not, as the same customer or not; and a course through all numbers of subscribers."""

import base64

import orjson
import pytest
from rich.console import Console

from bench.live import fanout
from bench.live.contenders import owner
from bench.live.contest import Contender, Contest
from bench.live.levels import Level, Told
from bench.live.worker import audience
from bench.machine import Cores
from core.errors import ConfigurationError
from tests.bench.live.conftest import EVENT

LEVELS = [Level(name, "home", 5, 1) for name in ("shirt", *map(str, range(12)))]


@pytest.fixture
def galleria(strawberry, port, environ):
    """A server that stands for Galleria: what is tested is the course."""
    told, token = Told(EVENT), owner(environ)
    with audience(port, Cores()) as hearing:
        yield Contender(strawberry, hearing, lambda: told.publication(token), b"{}")


def contest(environ, galleria=None, peers=()):
    return Contest(galleria, dict(peers), LEVELS, "", environ, [])


def subject(hello):
    claims = orjson.loads(hello.init)["payload"]["authorization"].split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(claims + "=="))["sub"]


def variables(hello):
    return orjson.loads(hello.subscribe)["payload"]["variables"]


def test_equals_are_a_hundred_of_each_customer_and_ask_the_same(environ):
    made = fanout.equal(contest(environ))

    found = [*made(range(150), "7"), *made(range(150, 250), "7")]

    assert {orjson.dumps(variables(each)) for each in found} == {b'{"ids":["shirt"],"after":"7"}'}
    assert [subject(each) for each in found] == [f"equal-{place // 100}" for place in range(250)]


def test_of_distinct_variables_no_two_are_alike_and_all_hear_of_the_event(environ):
    found = fanout.distinct_variables(contest(environ))(range(20, 220), "7")

    asked = [tuple(sorted(variables(each)["ids"])) for each in found]
    assert len(set(asked)) == 200
    assert all("shirt" in ids and len(ids) == 4 for ids in asked)
    assert len({subject(each) for each in found}) == 3


def test_a_shop_with_too_few_variants_is_told(environ):
    with pytest.raises(ConfigurationError, match="too few variants for 221 different subscriptions"):
        fanout.distinct_variables(contest(environ))(range(221), "7")


def test_distinct_principals_are_each_another_customer(environ):
    found = fanout.distinct_principals(contest(environ))(range(10, 40), "7")

    assert [subject(each) for each in found] == [f"principals-{place}" for place in range(10, 40)]
    assert {orjson.dumps(variables(each)) for each in found} == {b'{"ids":["shirt"],"after":"7"}'}


def test_a_course_grows_and_times_each_round(environ, galleria):
    galleria.server = type(galleria.server)("galleria", galleria.server.url, galleria.server.pid, galleria.server.log)
    here = contest(environ, galleria)

    found = fanout.fan_out(
        here, fanout.Course(["galleria", "yoga"], fanout.equal(here), (5, 12), 2), Console(quiet=True)
    )

    assert list(found) == [5, 12]
    for size in found.values():
        [(name, rounds)] = size.rounds.items()
        assert (name, len(rounds)) == ("galleria", 2)
        assert all(each.first_ms <= each.last_ms <= each.from_request_ms for each in rounds)
        assert size.entered_seconds["galleria"] > 0
    # One event before those that are timed, for each number of subscribers.
    assert galleria.sequence == "6"


def test_a_peer_that_refuses_is_left_out_and_named(environ, galleria):
    galleria.server = type(galleria.server)("galleria", galleria.server.url, galleria.server.pid, galleria.server.log)
    refused = Contender(galleria.server, galleria.audience, lambda: b"", b"")
    here = contest(environ, galleria, {"yoga": refused})
    hellos = fanout.equal(here)

    def forged(places, after):
        return [type(each)(b'{"type":"connection_init"}', each.subscribe) for each in hellos(places, after)]

    with pytest.raises(ConfigurationError, match=r"Galleria, 3 subscribers: .*4403 Forbidden"):
        fanout.fan_out(here, fanout.Course(["galleria"], forged, (3,), 1), Console(quiet=True))
    found = fanout.fan_out(here, fanout.Course(["yoga"], forged, (3,), 0), Console(quiet=True))

    assert found[3].rounds == {}
    assert here.peers == {}
    assert "yoga, 3 subscribers: The server closed the socket of a subscriber: 4403 Forbidden" in here.notes
