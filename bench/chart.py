"""The chart of a run: groups of bars, one bar for each server (SVG)."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from bench.contenders import GALLERIA, LIMIT, TITLES
from bench.operations import NAMES

_WIDTH, _LEFT, _RIGHT = 860, 230, 90
"""Of the drawing, of the names beside the bars and of the figures behind them."""
_BAR, _STEP, _HEAD, _GAP = 14, 20, 26, 14
"""Heights: of a bar, from bar to bar, of a group's title, between groups."""

_COLOURS = {GALLERIA: "#c2410c", LIMIT: "#a8a29e"}
_OTHERS = "#64748b"
_TEXT = 'font-family="system-ui, sans-serif" fill="#1f2937"'


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Bars that are compared.

    Attributes:
        title: What they show.
        figures: By server.
        titles: Names of servers for people, in the order of the bars; those without a figure are left out.
    """

    title: str
    figures: Mapping[str, float]
    titles: Mapping[str, str]


def chart(found: Mapping[str, Any]) -> str:
    """Draw the results of a run: for each operation, the answers a second of every server."""
    groups = [Group(f"{operation}, answers a second", found["rps"][operation], TITLES) for operation in NAMES]
    return drawn("Answers a second by operation and server", groups)


def drawn(label: str, groups: Sequence[Group]) -> str:
    """Draw groups of bars; the longest bar of each has the full width.

    Args:
        label: What it is, for those who cannot see it.
        groups: The bars.
    """
    top = _GAP
    parts: list[str] = []
    for group in groups:
        parts += _group(group, top)
        top += _HEAD + _STEP * len(group.figures) + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}" '
        f'role="img" aria-label="{escape(label)}">'
    )
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>', *parts, "</svg>\n"])


def _group(group: Group, top: int) -> Iterator[str]:
    yield f'<text x="12" y="{top + 16}" font-size="15" font-weight="600" {_TEXT}>{escape(group.title)}</text>'
    figures = group.figures
    longest = max(figures.values())
    for place, name in enumerate(name for name in group.titles if name in figures):
        middle = top + _HEAD + place * _STEP
        width = max(1, round((_WIDTH - _LEFT - _RIGHT) * figures[name] / longest))
        label = f'x="{_LEFT - 8}" y="{middle + 11}" font-size="12" text-anchor="end"'
        figure = f'x="{_LEFT + width + 6}" y="{middle + 11}" font-size="12"'
        colour = _COLOURS.get(name, _OTHERS)
        yield f"<text {label} {_TEXT}>{escape(group.titles[name])}</text>"
        yield f'<rect x="{_LEFT}" y="{middle}" width="{width}" height="{_BAR}" rx="2" fill="{colour}"/>'
        yield f"<text {figure} {_TEXT}>{figures[name]:,.0f}</text>"
