"""The page at `/` for people: what runs here, where things are, and what to paste to try it."""

import base64
import dataclasses
import hashlib
import shlex
from collections.abc import Awaitable, Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """A place worth going to.

    Attributes:
        title: What it is called.
        address: Where it is; relative to `/`, so that it holds below any prefix.
        note: What one finds there, as half a sentence.
    """

    title: str
    address: str
    note: str


GRAPHIQL: Final = Link("GraphiQL", "graphiql", "ask and change things in the browser, with examples")
LIVE: Final = Link("Live", "live", "stock and prices of a demo shop, as they change")
SCHEMA: Final = Link("Schema", "schema.graphql", "every type, field and argument in one file")
METRICS: Final = Link("Metrics", "metrics", "what this process counts and times, as Prometheus reads it")
LINKS: Final = (
    Link("Readiness", "readyz", "whether this process can serve, and if not, why"),
    Link("Liveness", "livez", "whether this process runs"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class DemoShop:
    """A shop to try things with."""

    slug: str
    name: str
    currency: str


@dataclasses.dataclass(frozen=True, slots=True)
class DemoToken:
    """An access token that may be shown to whoever opens the page.

    Attributes:
        shop: Slug of the shop that it is good for.
        holder: Who it stands for, such as "Customer" or "Staff: owner".
        value: The token.
    """

    shop: str
    holder: str
    value: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Landing:
    """What the page shows.

    Attributes:
        is_development: Whether shops, tokens and the links that only development serves are shown; elsewhere they are
            left out even when given.
        shops: The demo shops, in the order of the page.
        tokens: Tokens for them; those of other shops are left out.
        token_minutes: How long the tokens are good for.
        links: Where to go, those that only development serves aside.
    """

    is_development: bool
    shops: Sequence[DemoShop] = ()
    tokens: Sequence[DemoToken] = ()
    token_minutes: int = 15
    links: Sequence[Link] = LINKS


def index_route(read: Callable[[Request], Awaitable[Landing]]) -> Route:
    """Make the route of `/`.

    Args:
        read: Gives what to show to a visitor; asked for each visit, since tokens run out.
    """

    async def index(request: Request) -> HTMLResponse:
        landing = await read(request)
        return HTMLResponse(page(landing, endpoint=f"{request.base_url}graphql"), headers=_HEADERS)

    return Route("/", index, name="index")


def page(landing: Landing, *, endpoint: str) -> str:
    """Write the page.

    Args:
        landing: What to show.
        endpoint: Full address of the GraphQL endpoint, for the commands to paste.
    """
    links = (GRAPHIQL, LIVE, SCHEMA, *landing.links, METRICS) if landing.is_development else landing.links
    has_demo = landing.is_development and len(landing.shops) > 0
    return _PAGE.substitute(
        demo=_demo(landing, endpoint) if has_demo else "",
        endpoint=escape(endpoint),
        links="".join(map(_link, links)),
        style=_STYLE,
    )


def _link(link: Link) -> str:
    return f'<li><a href="{escape(link.address)}">{escape(link.title)}</a> {escape(link.note)}</li>'


def _demo(landing: Landing, endpoint: str) -> str:
    shops = "".join(
        f"<tr><td><code>{escape(shop.slug)}</code></td><td>{escape(shop.name)}</td><td>{escape(shop.currency)}</td></tr>"
        for shop in landing.shops
    )
    callers = "".join(_shop_callers(shop, landing.tokens, endpoint) for shop in landing.shops)
    return _DEMO.substitute(callers=callers, lifetime=_lifetime(landing.token_minutes), script=_SCRIPT, shops=shops)


def _lifetime(minutes: int) -> str:
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _shop_callers(shop: DemoShop, tokens: Sequence[DemoToken], endpoint: str) -> str:
    callers = "".join(map(_caller, _callers(shop, tokens, endpoint)))
    # Details of one name are open one at a time.
    return (
        f'<details class="shop" name="shop"><summary>{escape(shop.name)} <code>{escape(shop.slug)}</code></summary>'
        f"{callers}</details>"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Caller:
    holder: str
    header: str
    command: str


def _callers(shop: DemoShop, tokens: Sequence[DemoToken], endpoint: str) -> Iterator[_Caller]:
    shop_header = f"Galleria-Shop: {shop.slug}"
    yield _Caller("Shopper", shop_header, _command(endpoint, shop_header))
    for token in tokens:
        if token.shop == shop.slug:
            header = f"Authorization: Bearer {token.value}"
            yield _Caller(token.holder, header, _command(endpoint, header))


def _caller(caller: _Caller) -> str:
    return (
        f"<article><h3>{escape(caller.holder)}</h3>"
        f'<pre class="line"><code>{escape(caller.header)}</code></pre>'
        f"<details><summary>as a command</summary><pre><code>{escape(caller.command)}</code></pre></details></article>"
    )


def _command(endpoint: str, header: str) -> str:
    arguments = ("Content-Type: application/json", header)
    options = "".join(f"  -H {shlex.quote(argument)} \\\n" for argument in arguments)
    return f"curl {shlex.quote(endpoint)} \\\n{options}  -d {shlex.quote(_QUERY)}"


_QUERY: Final = '{"query": "{ shop { name } products(first: 3) { edges { node { name } } } }"}'

_FOLDER: Final = Path(__file__).parent
_PAGE: Final = Template((_FOLDER / "index.html").read_text(encoding="utf-8"))
_DEMO: Final = Template((_FOLDER / "demo.html").read_text(encoding="utf-8"))
_STYLE: Final = (_FOLDER / "index.css").read_text(encoding="utf-8")
_SCRIPT: Final = (_FOLDER / "index.js").read_text(encoding="utf-8")


def inline_source(inline: str) -> str:
    """Name an inline style or script in a policy (Content Security Policy 3, 2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    return f"'sha256-{digest}'"


_HEADERS: Final = {
    # The tokens of one visit are not for a cache.
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {inline_source(_STYLE)}; script-src {inline_source(_SCRIPT)}; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
