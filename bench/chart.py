"""The chart of a run: for each operation, the answers a second of every server as bars (SVG)."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from bench.contenders import GALLERIA, LIMIT, TITLES
from bench.operations import NAMES

_WIDTH, _LEFT, _RIGHT = 860, 230, 90
"""Of the drawing, of the names beside the bars and of the figures behind them."""
_BAR, _STEP, _HEAD, _GAP = 14, 20, 26, 14
"""Heights: of a bar, from bar to bar, of an operation's title, between operations."""

_COLOURS = {GALLERIA: "#c2410c", LIMIT: "#a8a29e"}
_OTHERS = "#64748b"
_TEXT = 'font-family="system-ui, sans-serif" fill="#1f2937"'


def chart(found: Mapping[str, Any]) -> str:
    """Draw the results of a run; the longest bar of each operation has the full width."""
    top = _GAP
    parts: list[str] = []
    for operation in NAMES:
        parts += _operation(operation, found["rps"][operation], top)
        top += _HEAD + _STEP * len(found["rps"][operation]) + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}" '
        'role="img" aria-label="Answers a second by operation and server">'
    )
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>', *parts, "</svg>\n"])


def _operation(operation: str, rates: Mapping[str, float], top: int) -> Iterator[str]:
    yield f'<text x="12" y="{top + 16}" font-size="15" font-weight="600" {_TEXT}>{operation}, answers a second</text>'
    longest = max(rates.values())
    for place, name in enumerate(name for name in TITLES if name in rates):
        middle = top + _HEAD + place * _STEP
        width = max(1, round((_WIDTH - _LEFT - _RIGHT) * rates[name] / longest))
        label = f'x="{_LEFT - 8}" y="{middle + 11}" font-size="12" text-anchor="end"'
        figure = f'x="{_LEFT + width + 6}" y="{middle + 11}" font-size="12"'
        colour = _COLOURS.get(name, _OTHERS)
        yield f"<text {label} {_TEXT}>{escape(TITLES[name])}</text>"
        yield f'<rect x="{_LEFT}" y="{middle}" width="{width}" height="{_BAR}" rx="2" fill="{colour}"/>'
        yield f"<text {figure} {_TEXT}>{rates[name]:,.0f}</text>"
