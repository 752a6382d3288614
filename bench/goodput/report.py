"""Results for people: a table and a chart, made of the file of results and put into docs/overload.md."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from bench.goodput.results import GOOD_SECONDS, LIMITED, UNLIMITED
from bench.report import between, read
from bench.servers import ROOT

FULL = ROOT / "bench" / "results" / "goodput.json"
QUICK = ROOT / "bench" / "results" / "goodput-quick.json"
CHART = ROOT / "bench" / "results" / "goodput.svg"
DOCUMENT = ROOT / "docs" / "overload.md"

_BEGIN, _END = "<!-- figures of bench/results/goodput.json -->", "<!-- end of goodput figures -->"
_TITLES = {LIMITED: "as it is", UNLIMITED: "if everybody were let in"}
_COLOURS = {LIMITED: "#c2410c", UNLIMITED: "#64748b"}
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 760, 360, 70, 40, 190, 50
_TEXT = 'font-family="system-ui, sans-serif" fill="#1f2937" font-size="12"'

Results = Mapping[str, Any]

_ROWS = (
    ("good answers a second", "goodput_rps", "{:,.0f}", 1),
    ("99 % of the answers within, ms", "p99_ms", "{:,.0f}", 1),
    ("refused, %", "refused", "{:.1f}", 100),
    ("mutations refused, %", "refused_mutations", "{:.1f}", 100),
    ("late, or no answer, %", "late_or_failed", "{:.1f}", 100),
)


def table(found: Results) -> str:
    """Return the figures by load, as Markdown."""
    loads = list(found["loads"][LIMITED])
    lines = [f"| asked, in multiples of what it can do | {' | '.join(loads)} |", f"| --- |{' --: |' * len(loads)}"]
    for title, figure, form, factor in _ROWS:
        lines.append(_row(title, [found["loads"][LIMITED][load][figure] for load in loads], form, factor))
    without = [found["loads"][UNLIMITED][load]["goodput_rps"] for load in loads]
    lines.append(_row("good answers if everybody were let in", without, "{:,.0f}", 1))
    return "\n".join(lines)


def _row(title: str, values: list[float | None], form: str, factor: float) -> str:
    cells = ("-" if value is None else form.format(value * factor) for value in values)
    return f"| {title} | {' | '.join(cells)} |"


def caption(found: Results) -> str:
    """Say what the figures mean."""
    machine, run = found["machine"], found["run"]
    return (
        f"A good answer is right and comes within {GOOD_SECONDS:.0f} s of the moment in which its request was to set "
        f"out. One process on one core of {machine['processor']}, Python {machine['python']}, answers "
        f"{found['capacity_rps']:,.0f} requests a second without the response cache: eight listings to one product and "
        f"one mutation, of {run['shops']} shops. Requests come by chance and do not wait for each other, "
        f"{run['seconds']:.0f} s at each load. At the greatest load {found['of_peak_at_most_load']:.0%} of the peak is "
        "left."
    )


def chart(found: Results) -> str:
    """Draw goodput by load (SVG)."""
    curves = {
        name: [(float(load), each["goodput_rps"]) for load, each in found["loads"][name].items()] for name in _TITLES
    }
    most_load = max(load for curve in curves.values() for load, _ in curve)
    most = max(good for curve in curves.values() for _, good in curve) * 1.1 or 1.0
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    label = "Good answers a second, by what is asked"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-weight="600" {_TEXT}>{label}</text>',
        *_axes(curves[LIMITED], most_load, most),
    ]
    for name, curve in curves.items():
        parts += _curve(name, [_place(*each, most_load, most) for each in curve])
    return "\n".join([*parts, "</svg>\n"])


def _place(load: float, good: float, most_load: float, most: float) -> tuple[float, float]:
    x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * load / most_load
    return round(x, 1), round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * good / most, 1)


def _axes(curve: list[tuple[float, float]], most_load: float, most: float) -> Iterator[str]:
    left, bottom = _place(0, 0, most_load, most)
    right, top = _place(most_load, most, most_load, most)
    yield f'<path d="M{left},{top}V{bottom}H{right}" fill="none" stroke="#a8a29e"/>'
    for load, _ in curve:
        x, _ = _place(load, 0, most_load, most)
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" {_TEXT}>{load:g} times</text>'
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = _place(0, most * part, most_load, most)
        yield f'<text x="{left - 8}" y="{y + 4}" text-anchor="end" {_TEXT}>{most * part:,.0f}</text>'


def _curve(name: str, points: list[tuple[float, float]]) -> Iterator[str]:
    colour = _COLOURS[name]
    line = " ".join(f"{x},{y}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    for x, y in points:
        yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>'
    x, y = points[-1]
    yield f'<text x="{x + 10}" y="{y + 4}" {_TEXT}>{escape(_TITLES[name])}</text>'


def publish(found: Results) -> None:
    """Draw the chart and put the table into the document, between its marks."""
    CHART.write_text(chart(found), encoding="utf-8")
    DOCUMENT.write_text(published(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")


def published(text: str, found: Results) -> str:
    """Return a text with what is between its marks replaced by these figures."""
    picture = "![Good answers a second, by what is asked](../bench/results/goodput.svg)"
    return between(text, _BEGIN, _END, [table(found), caption(found), picture])


if __name__ == "__main__":
    publish(read(FULL))
