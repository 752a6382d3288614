"""The file of live results: how its figures follow from what was measured."""

import orjson
import pytest

from bench.live.fanout import Reached, Size
from bench.live.flow import Flowed, _Batch, _delays
from bench.live.levels import Level
from bench.live.results import Found, Plan, ratio, summary
from bench.machine import Cores, Machine

PLAN = Plan((10, 20), 3, (100,), 2, clients=2, storm=50, storms=1, storms_of_peers=1)
MACHINE = Machine(processor="CPU", cores=2, system="Linux", python="3.11.7", load=0.5)


def reached(*times, cpu_us=20.0):
    return [Reached(first_ms=1, last_ms=each, from_request_ms=each + 5, cpu_us=cpu_us) for each in times]


@pytest.fixture
def found():
    def alone(*times):
        return {size: Size({"galleria": reached(*times)}, {"galleria": 1.0}) for size in PLAN.sizes}

    small = Size(
        {"galleria": reached(30, 50, 20), "graphql_ws": reached(60, 200, 50), "strawberry": reached(100, 90, 80)},
        {"galleria": 0.5, "graphql_ws": 0.4, "strawberry": 2.123},
        {"galleria": 27.04, "graphql_ws": 54.0, "strawberry": 66.0},
    )
    large = Size({"galleria": reached(90, cpu_us=None)}, {"galleria": 1.0})
    flows = {100: Flowed(list(range(1, 201)), list(range(2, 202)), 1.0)}
    return Found({10: small, 20: large}, alone(7), alone(8), flows, {"galleria": [3, 1, 2]}, ["strawberry: died"])


def test_every_figure_has_its_place(found):
    told = orjson.loads(orjson.dumps(summary(PLAN, MACHINE, Cores(frozenset({0}), frozenset({1})), found)))

    small = told["fanout"]["10"]
    assert (small["galleria_ms"], small["graphql_ws_ms"], small["strawberry_ms"]) == (30, 60, 90)
    assert (small["galleria_first_ms"], small["galleria_from_request_ms"], small["galleria_cpu_us"]) == (1, 35, 20)
    assert (small["kib_per_connection"], small["strawberry_kib_per_connection"]) == (27.0, 66.0)
    assert (small["distinct_variables_ms"], small["distinct_principals_ms"]) == (7, 8)
    assert small["times_as_fast"] == {"graphql_ws": 2.5, "strawberry": 3.33}
    assert small["strawberry_entered_s"] == 2.12
    assert told["latency_p99_ms"] == {"100": 198}
    assert told["latency"]["100"] == {
        "p50_ms": 100,
        "p99_ms": 198,
        "from_request_p50_ms": 101,
        "from_request_p99_ms": 199,
        "events": 100,
        "events_per_second": 100.0,
    }
    assert (told["storm_50_s"], told["storm"]) == (2, {"galleria_s": 2})
    assert told["notes"] == ["strawberry: died"]
    assert told["machine"]["server_has_a_core_of_its_own"] is True
    assert told["run"]["sizes"] == [10, 20]


def test_what_was_not_measured_is_not_there(found):
    large = summary(PLAN, MACHINE, Cores(), found)["fanout"]["20"]

    assert large["galleria_ms"] == 90
    assert large["times_as_fast"] == {}
    assert {"graphql_ws_ms", "kib_per_connection", "galleria_cpu_us"}.isdisjoint(large)


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_times():
    # A machine that was slow in the second round was so for both.
    assert ratio(reached(10, 100, 20), reached(30, 200, 60)) == 3.0


def test_each_event_is_timed_from_its_own_mutation():
    shirt, shoe = Level("shirt", "w", 5, 1), Level("shoe", "w", 5, 1)
    batch = _Batch([shirt, shoe], sent=[1.0, 2.0], answered=[1.5, 2.5])
    heard = {(0, b"shirt"): [1.6, 2.4], (0, b"shoe"): [1.75, 3.5]}

    flowed = _delays([batch], heard, 1, 2.0)

    assert flowed.from_commit_ms == pytest.approx([100, 0, 250, 1000])
    assert flowed.from_request_ms == pytest.approx([600, 400, 750, 1500])


def test_an_event_that_was_not_heard_is_no_event_that_was_fast():
    batch = _Batch([Level("shirt", "w", 5, 1)], sent=[1.0, 2.0], answered=[1.5, 2.5])

    with pytest.raises(ValueError, match="zip"):
        _delays([batch], {(0, b"shirt"): [1.6]}, 1, 2.0)


def test_a_level_moves_by_one_and_back_with_a_version_each():
    level = Level("shirt", "home", on_hand=5, version=3)

    changes = [level.change() for _ in range(3)]

    assert [each["input"]["onHand"] for each in changes] == [6, 5, 6]
    assert [each["expectedVersion"] for each in changes] == [3, 4, 5]
