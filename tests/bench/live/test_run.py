"""A whole run, as small as can be: every figure that the results promise comes from it."""

import orjson
from rich.console import Console

from bench.contenders import GALLERIA
from bench.live import report
from bench.live.__main__ import _run
from bench.live.contenders import STRAWBERRY
from bench.live.results import Plan

PLAN = Plan((5, 12), 2, (100,), 0.3, clients=2, storm=8, storms=2, storms_of_peers=1)


def test_a_run_measures_all_that_it_promises():
    found = orjson.loads(orjson.dumps(_run(PLAN, Console(quiet=True))))

    assert list(found["fanout"]) == ["5", "12"]
    for size in found["fanout"].values():
        for name in (GALLERIA, STRAWBERRY, "distinct_variables", "distinct_principals"):
            assert 0 < size[f"{name}_ms"] <= size[f"{name}_from_request_ms"]
        assert size["times_as_fast"]["strawberry"] > 0
    assert list(found["latency_p99_ms"]) == ["100"]
    assert found["latency"]["100"]["events"] == 30
    assert 0 < found["storm_8_s"] == found["storm"]["galleria_s"]
    assert found["storm"]["strawberry_s"] > 0
    assert all(each.startswith("graphql_ws: not measured") for each in found["notes"])
    assert "Galleria" in report.table(found)
    assert "8 customers are back" in report.caption(found)
