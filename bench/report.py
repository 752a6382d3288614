"""Results for people: a table and a chart, made of the file of results and put into the README."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.chart import chart
from bench.contenders import GALLERIA, TITLES
from bench.operations import NAMES
from bench.servers import ROOT

FULL = ROOT / "bench" / "results" / "summary.json"
QUICK = ROOT / "bench" / "results" / "quick.json"
CHART = ROOT / "bench" / "results" / "summary.svg"
README = ROOT / "README.md"

_BEGIN, _END = "<!-- figures of bench/results/summary.json -->", "<!-- end of figures -->"
_ABSENT = "-"

Results = Mapping[str, Any]


def table(found: Results) -> str:
    """Return Galleria's figures and the ratios to all others, as Markdown."""
    lines = [
        f"| | {' | '.join(NAMES)} |",
        f"| --- |{' --: |' * len(NAMES)}",
        _row("**Galleria**, answers a second", found, "rps", "{:,.0f}"),
        _row("99 % of answers within, ms", found, "p99_ms", "{:.1f}"),
        _row("processor time an answer, µs", found, "cpu_us", "{:,.0f}"),
    ]
    for name, title in TITLES.items():
        known = {operation: found["ratios"][operation].get(name) for operation in NAMES}
        if name != GALLERIA and any(ratio is not None for ratio in known.values()):
            cells = (_ABSENT if ratio is None else times(ratio) for ratio in known.values())
            lines.append(f"| times as fast as {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def times(ratio: float) -> str:
    """Write a ratio with two digits, or as a whole number where it has more."""
    return f"{ratio:.{max(0, 1 - math.floor(math.log10(ratio)))}f}"


def _row(title: str, found: Results, figure: str, form: str) -> str:
    values = (found[figure][operation].get(GALLERIA) for operation in NAMES)
    return f"| {title} | {' | '.join(_ABSENT if value is None else form.format(value) for value in values)} |"


def caption(found: Results) -> str:
    """Say what the figures were measured on."""
    machine, run = found["machine"], found["run"]
    return (
        f"One process on one core of {machine['processor']}, Python {machine['python']}, {run['connections']} "
        f"connections, {run['shops']} shops, the largest of size {run['size']}; median of {run['rounds']} rounds that "
        f"ask all servers in turn. An answer from the response cache comes {times(found['cache_hit'])} times as fast "
        "as a constant body from the same HTTP server."
    )


def publish(found: Results) -> None:
    """Draw the chart and put the table into the README, between its marks."""
    CHART.write_text(chart(found), encoding="utf-8")
    README.write_text(published(README.read_text(encoding="utf-8"), found), encoding="utf-8")


def published(text: str, found: Results) -> str:
    """Return a text with what is between its marks replaced by these figures."""
    picture = f"![Answers a second, by operation and server]({CHART.relative_to(ROOT)})"
    return between(text, _BEGIN, _END, [table(found), caption(found), picture])


def between(text: str, begin: str, end: str, paragraphs: Sequence[str]) -> str:
    """Return a text with what is between two marks replaced by paragraphs."""
    inserted = "\n\n".join([begin, *paragraphs, end])
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: inserted, text, flags=re.DOTALL)


def read(path: Path) -> Results:
    """Return a file of results."""
    found: Results = orjson.loads(path.read_bytes())
    return found


if __name__ == "__main__":
    publish(read(FULL))
