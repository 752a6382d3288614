"""Table and chart of live results: drawn from a file of results, and put into the README between its marks."""

import xml.etree.ElementTree as ET

import pytest

from bench.live.report import caption, chart, published, table
from bench.report import README

NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def found():
    size = {
        "galleria_ms": 20.4,
        "graphql_ws_ms": 40.8,
        "distinct_variables_ms": 400.6,
        "distinct_principals_ms": 22.0,
        "kib_per_connection": 27.2,
        "times_as_fast": {"graphql_ws": 2.0},
    }
    large = size | {"strawberry_ms": 204.0, "times_as_fast": {"graphql_ws": 2.04, "strawberry": 10.2}}
    del large["kib_per_connection"]
    return {
        "machine": {"processor": "CPU", "python": "3.11.7"},
        "run": {"rounds": 7, "clients": 10, "storm": 5000, "missed": 3},
        "fanout": {"1000": size, "10000": large},
        "latency_p99_ms": {"100": 20.2, "1000": 80.9},
        "storm": {"galleria_s": 3.21, "strawberry_s": 17.0},
    }


def test_the_table_has_a_row_for_each_server_that_was_measured(found):
    assert table(found).splitlines() == [
        "| subscribers of one process | 1,000 | 10,000 |",
        "| --- | --: | --: |",
        "| **Galleria**, all have heard after, ms | 20 | 20 |",
        "| with variables that all differ, ms | 401 | 401 |",
        "| each another customer, ms | 22 | 22 |",
        "| memory a connection, KiB | 27 | - |",
        "| times as fast as graphql-ws 6 on ws 8 (Node.js) | 2.0 | 2.0 |",
        "| times as fast as Strawberry | - | 10 |",
    ]


def test_the_caption_tells_of_latencies_and_storms(found):
    told = caption(found)

    assert "99 % reach 10 clients within 20 ms at 100, 81 ms at 1,000." in told
    assert "5,000 customers are back, each with the 3 events that it has missed, in 3.2 s (Strawberry 17.0 s)." in told
    del found["storm"]["strawberry_s"]
    assert caption(found).endswith("in 3.2 s.")


def test_the_readme_gets_the_figures_between_its_marks(found):
    text = README.read_text(encoding="utf-8")

    once = published(text, found)

    assert table(found) in once
    assert caption(found) in once
    assert published(once, found) == once
    begin, end = "<!-- figures of bench/results/live.json -->", "<!-- end of live figures -->"
    assert once.partition(begin)[0] == text.partition(begin)[0]
    assert once.partition(end)[2] == text.partition(end)[2]


def test_the_chart_has_a_bar_for_each_server_in_proportion(found):
    drawn = ET.fromstring(chart(found))  # noqa: S314 - we drew it.

    bars = [each for each in drawn.iter(f"{NAMESPACE}rect") if each.get("x")]
    texts = [each.text for each in drawn.iter(f"{NAMESPACE}text")]
    assert [int(bar.get("width")) for bar in bars] == [270, 540, 54, 108, 540]
    assert texts[:3] == ["1,000 subscribers, ms until the last has heard", "Galleria", "20"]
    assert "Strawberry" in texts
