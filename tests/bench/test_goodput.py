"""Load that does not wait, and what is made of it."""

import asyncio
import contextlib
import random
from xml.etree import ElementTree as ET

import pytest

from bench.goodput import load, report
from bench.goodput.load import Asked, Crowd, Outcome
from bench.goodput.results import LIMITED, MUTATION, UNLIMITED, Plan, level, summary
from bench.machine import Cores, machine

ASKED = [
    Asked(kind, b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}") for kind in ("listing", MUTATION)
]
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data": {}}'
WRONG = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"errors": []}'
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.asynccontextmanager
async def answering(*answers):
    """Serve one answer after the other on each connection, and none once they are used up."""

    async def serve(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            for answer in answers:
                await reader.readexactly(len(ASKED[0].head_and_body))
                # In two pieces, as networks do.
                writer.write(answer[:5])
                await writer.drain()
                writer.write(answer[5:])
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        crowd = Crowd(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", ASKED, random.Random(1))  # noqa: S311  (no secret)
        yield crowd
        await crowd.leave()


async def test_requests_set_out_at_their_own_times_and_are_counted_by_what_became_of_them():
    async with answering(*[GOOD] * 100_000) as crowd:
        outcome = await crowd.come(200, seconds=0.5, warm_up_seconds=0.2)
        assert len(outcome.seconds) == sum(outcome.offered.values())
        # By chance: a hundred on average.
        assert 50 < len(outcome.seconds) < 200
        assert (outcome.failed, sum(outcome.refused.values())) == (0, 0)
        assert await crowd.press(4, seconds=0.2) > 0


async def test_refusals_and_wrong_answers_are_told_apart():
    async with answering(*[BUSY] * 500) as crowd:
        outcome = await crowd.come(200, seconds=0.3, warm_up_seconds=0)
        assert outcome.refused == outcome.offered
    async with answering(*[WRONG] * 500) as crowd:
        outcome = await crowd.come(200, seconds=0.3, warm_up_seconds=0)
        assert outcome.failed == sum(outcome.offered.values()) > 0


async def test_a_server_that_is_still_busy_is_waited_for(monkeypatch):
    monkeypatch.setattr(load, "_REST_SECONDS", 0.05)
    async with answering(*[BUSY] * 5_000, *[GOOD] * 100_000) as crowd:
        await crowd.rest()
        assert await crowd.press(1, seconds=0.1) > 0
        assert crowd._outcome.refused.total() == 0


async def test_who_gets_no_answer_gives_up(monkeypatch):
    monkeypatch.setattr(load, "GIVEN_UP_SECONDS", 0.1)
    async with answering() as crowd:
        outcome = await crowd.come(100, seconds=0.3, warm_up_seconds=0)
        assert outcome.failed == sum(outcome.offered.values()) > 0


async def test_a_crowd_has_no_more_connections_than_it_may(monkeypatch):
    monkeypatch.setattr(load, "CONNECTIONS", 0)
    async with answering(GOOD) as crowd:
        outcome = await crowd.come(100, seconds=0.2, warm_up_seconds=0)
        assert outcome.failed == sum(outcome.offered.values()) > 0


def outcome(*, good, late=0, refused=0):
    made = Outcome(seconds=[0.1] * good + [2.0] * late)
    made.offered["listing"] = good + late + refused
    made.offered[MUTATION] = 10
    made.refused["listing"] = refused
    made.seconds += [0.1] * 10
    return made


@pytest.fixture
def found():
    plan = Plan((1.0, 3.0), seconds=10, warm_up_seconds=1, size="M", shops=3)
    curves = {
        LIMITED: {1.0: level(outcome(good=990), 10), 3.0: level(outcome(good=890, refused=2_000), 10)},
        UNLIMITED: {1.0: level(outcome(good=990), 10), 3.0: level(outcome(good=40, late=900), 10)},
    }
    return summary(plan, machine(), Cores(), 100.0, curves)


def test_an_answer_counts_where_it_comes_in_time(found):
    limited, unlimited = (found["loads"][name]["3.0"] for name in (LIMITED, UNLIMITED))
    assert (limited["goodput_rps"], limited["refused"], limited["refused_mutations"]) == (90.0, 0.6897, 0.0)
    assert (unlimited["goodput_rps"], unlimited["p99_ms"], unlimited["late_or_failed"]) == (5.0, 2000.0, 0.9474)
    assert found["of_peak_at_most_load"] == 0.9


def test_results_are_told_by_a_table_and_drawn(found):
    text = report.published(f"Before.\n\n{report._BEGIN}\n\nold\n\n{report._END}\n\nAfter.\n", found)
    assert "| good answers a second | 100 | 90 |" in text
    assert "| good answers if everybody were let in | 100 | 5 |" in text
    assert "At the greatest load 90% of the peak is left." in text
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "old" not in text
    drawing = ET.fromstring(report.chart(found))  # noqa: S314  (our own)
    assert len(drawing.findall("{*}polyline")) == 2
    assert report.published(report.DOCUMENT.read_text(), found) != report.DOCUMENT.read_text()
