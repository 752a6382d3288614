"""Results for people: a table and a chart, made of the file of results and put into the README."""

from collections.abc import Mapping
from typing import Any

from bench.chart import Group, drawn
from bench.contenders import GALLERIA
from bench.live.contenders import TITLES
from bench.report import README, between, read, times
from bench.servers import ROOT

FULL = ROOT / "bench" / "results" / "live.json"
QUICK = ROOT / "bench" / "results" / "live-quick.json"
CHART = ROOT / "bench" / "results" / "live.svg"

_BEGIN, _END = "<!-- figures of bench/results/live.json -->", "<!-- end of live figures -->"
_ABSENT = "-"

_ROWS = {
    "**Galleria**, all have heard after, ms": "galleria_ms",
    "with variables that all differ, ms": "distinct_variables_ms",
    "each another customer, ms": "distinct_principals_ms",
    "memory a connection, KiB": "kib_per_connection",
}

Results = Mapping[str, Any]


def table(found: Results) -> str:
    """Return Galleria's figures by number of subscribers, and the ratios to all others, as Markdown."""
    sizes = found["fanout"]
    lines = [
        f"| subscribers of one process | {' | '.join(f'{int(size):,}' for size in sizes)} |",
        f"| --- |{' --: |' * len(sizes)}",
    ]
    for title, figure in _ROWS.items():
        values = (each.get(figure) for each in sizes.values())
        cells = (_ABSENT if value is None else f"{value:.0f}" for value in values)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    for name, title in TITLES.items():
        ratios = [each["times_as_fast"].get(name) for each in sizes.values()]
        if any(ratio is not None for ratio in ratios):
            cells = (_ABSENT if ratio is None else times(ratio) for ratio in ratios)
            lines.append(f"| times as fast as {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def caption(found: Results) -> str:
    """Say what the figures mean, and tell of latencies and storms."""
    machine, run, storm = found["machine"], found["run"], found["storm"]
    latencies = ", ".join(f"{value:.0f} ms at {int(rate):,}" for rate, value in found["latency_p99_ms"].items())
    others = "; ".join(f"{title} {storm[f'{name}_s']:.1f} s" for name, title in _others(storm))
    beside = f" ({others})" if others else ""
    return (
        f"From the commit of one event until the last subscriber has it; one process on one core of "
        f"{machine['processor']}, Python {machine['python']}; median of {run['rounds']} rounds that ask all servers in "
        f"turn. At a steady rate of events a second, 99 % reach {run['clients']} clients within {latencies}. After a "
        f"storm {run['storm']:,} customers are back, each with the {run['missed']} events that it has missed, in "
        f"{storm[f'{GALLERIA}_s']:.1f} s{beside}."
    )


def _others(storm: Mapping[str, float]) -> list[tuple[str, str]]:
    return [(name, title) for name, title in TITLES.items() if name != GALLERIA and f"{name}_s" in storm]


def chart(found: Results) -> str:
    """Draw how long it takes until all have heard, by number of subscribers and server."""
    groups = [
        Group(
            f"{int(size):,} subscribers, ms until the last has heard",
            {name: each[f"{name}_ms"] for name in TITLES if f"{name}_ms" in each},
            TITLES,
        )
        for size, each in found["fanout"].items()
    ]
    return drawn("Milliseconds until the last subscriber has heard of an event", groups)


def publish(found: Results) -> None:
    """Draw the chart and put the table into the README, between its marks."""
    CHART.write_text(chart(found), encoding="utf-8")
    README.write_text(published(README.read_text(encoding="utf-8"), found), encoding="utf-8")


def published(text: str, found: Results) -> str:
    """Return a text with what is between its marks replaced by these figures."""
    picture = f"![Milliseconds until all have heard of an event, by server]({CHART.relative_to(ROOT)})"
    return between(text, _BEGIN, _END, [table(found), caption(found), picture])


if __name__ == "__main__":
    publish(read(FULL))
