"""Table and chart: drawn from a file of results, and put into the README between its marks."""

import xml.etree.ElementTree as ET

import pytest

from bench.report import README, caption, chart, published, table

NAMESPACE = "{http://www.w3.org/2000/svg}"
EACH = ("listing", "detail", "tiny", "deep", "mutation")


@pytest.fixture
def found():
    def figures(**by_server):
        return {operation: dict(by_server) for operation in EACH}

    ratios = figures(yoga=4.26, strawberry=61.5)
    del ratios["mutation"]["yoga"]
    return {
        "machine": {"processor": "CPU", "python": "3.11.7"},
        "run": {"size": "L", "shops": 10, "rounds": 7, "connections": 16},
        "ratios": ratios,
        "cache_hit": 0.85,
        "rps": figures(galleria=2787.4, yoga=650.0, strawberry=45.3),
        "p99_ms": figures(galleria=9.87, yoga=40.0, strawberry=600.0),
        "cpu_us": figures(galleria=215.3, yoga=1500.0, strawberry=22_000.0),
        "notes": [],
    }


def test_the_table_has_a_row_for_each_server_that_was_measured(found):
    assert table(found).splitlines() == [
        "| | listing | detail | tiny | deep | mutation |",
        "| --- | --: | --: | --: | --: | --: |",
        "| **Galleria**, answers a second | 2,787 | 2,787 | 2,787 | 2,787 | 2,787 |",
        "| 99 % of answers within, ms | 9.9 | 9.9 | 9.9 | 9.9 | 9.9 |",
        "| processor time an answer, µs | 215 | 215 | 215 | 215 | 215 |",
        "| times as fast as GraphQL Yoga 5 (dataloader) | 4.3 | 4.3 | 4.3 | 4.3 | - |",
        "| times as fast as Strawberry + SQLAlchemy ORM | 62 | 62 | 62 | 62 | 62 |",
    ]


@pytest.mark.parametrize(("ratio", "written"), [(0.894, "0.89"), (0.0318, "0.032"), (9.96, "10.0"), (123.4, "123")])
def test_ratios_are_written_with_two_digits(found, ratio, written):
    found["ratios"]["tiny"]["yoga"] = ratio

    assert f"| 4.3 | 4.3 | {written} | 4.3 | - |" in table(found)


def test_the_readme_gets_the_figures_between_its_marks(found):
    text = README.read_text(encoding="utf-8")

    once = published(text, found)

    assert table(found) in once
    assert caption(found) in once
    assert published(once, found) == once
    begin, end = "<!-- figures of bench/results/summary.json -->", "<!-- end of figures -->"
    assert once.partition(begin)[0] == text.partition(begin)[0]
    assert once.partition(end)[2] == text.partition(end)[2]


def test_the_chart_has_a_bar_for_each_server_in_proportion(found):
    drawn = ET.fromstring(chart(found))  # noqa: S314 - we drew it.

    bars = [each for each in drawn.iter(f"{NAMESPACE}rect") if each.get("x")]
    texts = [each.text for each in drawn.iter(f"{NAMESPACE}text")]
    assert len(bars) == 15
    assert [int(bar.get("width")) for bar in bars[:3]] == [540, 126, 9]
    assert texts[:3] == ["listing, answers a second", "Galleria", "2,787"]
    assert "45" in texts
