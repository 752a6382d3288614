"""The file of results: what is in it, and how its figures follow from the rounds."""

import orjson

from bench.load import Round
from bench.machine import Cores, Machine
from bench.measuring import Measured, Plan
from bench.results import ratio, summary
from server.demo.profiles import Size

PLAN = Plan(size=Size.M, shops=3, rounds=3, seconds=1, warm_up_seconds=1)
MACHINE = Machine(processor="CPU", cores=2, system="Linux", python="3.11.7", load=0.5)


def rounds(*rates, cpu_us=100.0):
    return [Round(rps=rate, p99_ms=1000 / rate, cpu_us=cpu_us) for rate in rates]


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_rates():
    # A machine that was slow in the second round was so for both.
    assert ratio(rounds(300, 30, 280), rounds(100, 10, 140)) == 3.0


def test_a_summary_has_every_figure_by_operation_and_server():
    measured = Measured(
        {
            "listing": {"galleria": rounds(200, 220, 210), "yoga": rounds(100, 100, 100)},
            "tiny": {"galleria": rounds(900, 900, 900), "yoga": rounds(300, 300, 300)},
        },
        ["limit: did not start"],
    )

    found = summary(PLAN, MACHINE, Cores(frozenset({0}), frozenset({1})), measured, cache_hit=0.9)

    assert orjson.loads(orjson.dumps(found)) == {
        "machine": {
            "processor": "CPU",
            "cores": 2,
            "system": "Linux",
            "python": "3.11.7",
            "load": 0.5,
            "server_has_a_core_of_its_own": True,
        },
        "run": {
            "size": "M",
            "shops": 3,
            "rounds": 3,
            "seconds": 1,
            "warm_up_seconds": 1,
            "connections": 16,
            "processes": 1,
        },
        "ratios": {"listing": {"yoga": 2.1}, "tiny": {"yoga": 3.0}},
        "cache_hit": 0.9,
        "rps": {"listing": {"galleria": 210.0, "yoga": 100.0}, "tiny": {"galleria": 900.0, "yoga": 300.0}},
        "p99_ms": {"listing": {"galleria": 4.762, "yoga": 10.0}, "tiny": {"galleria": 1.111, "yoga": 3.333}},
        "cpu_us": {"listing": {"galleria": 100.0, "yoga": 100.0}, "tiny": {"galleria": 100.0, "yoga": 100.0}},
        "notes": ["limit: did not start"],
    }


def test_a_summary_leaves_out_what_the_system_does_not_tell():
    measured = Measured({"tiny": {"galleria": rounds(900, cpu_us=None), "yoga": rounds(300, cpu_us=None)}}, [])

    found = summary(PLAN, MACHINE, Cores(), measured, cache_hit=0.9)

    assert found["cpu_us"] == {"tiny": {}}
    assert found["machine"]["server_has_a_core_of_its_own"] is False


def test_a_plan_keeps_what_is_not_changed():
    assert PLAN.changed(rounds=1, seconds=None) == Plan(size=Size.M, shops=3, rounds=1, seconds=1, warm_up_seconds=1)
