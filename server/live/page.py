"""The page at `/live`: the stock and the prices of a demo shop, as they change; for development."""

from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from server.demo.profiles import PROFILES
from server.pages import inline_source

_FOLDER: Final = Path(__file__).parent
_PAGE: Final = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
_STYLE: Final = (_FOLDER / "page.css").read_text(encoding="utf-8")
_SCRIPT: Final = (_FOLDER / "page.js").read_text(encoding="utf-8")
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {inline_source(_STYLE)}; script-src {inline_source(_SCRIPT)}; "
        # Covers the WebSocket of the same host and port as well (Content Security Policy 3, 6.7.2.8).
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def live_route() -> Route:
    """Make the route of `/live`; in production the caller leaves it out."""
    links = "".join(f'<a href="?shop={slug}" data-shop="{slug}">{slug}</a>' for slug in _slugs())
    page = _PAGE.substitute(shops=links, style=_STYLE, script=_SCRIPT)

    async def live(_: Request) -> HTMLResponse:
        return HTMLResponse(page, headers=_HEADERS)

    return Route("/live", live, name="live")


def _slugs() -> list[str]:
    return sorted(profile.slug for profile in PROFILES)
