import base64
import hashlib
import json
import re
import subprocess
from html.parser import HTMLParser

import httpx
import pytest
from starlette.applications import Starlette

from server.pages import DemoShop, DemoToken, Landing, Link, index_route

SHOPS = (DemoShop("demo", "Demo", "USD"), DemoShop("demo-jp", "Demo 日本", "JPY"))
TOKENS = (
    DemoToken("demo", "Customer", "token-of-customer"),
    DemoToken("demo", "Staff: owner", "token-of-owner"),
    DemoToken("demo-jp", "Staff: owner", "token-of-jp-owner"),
    DemoToken("elsewhere", "Staff: owner", "token-of-stranger"),
)
DEVELOPMENT = Landing(is_development=True, shops=SHOPS, tokens=TOKENS, token_minutes=15)


class Elements(HTMLParser):
    """Collects elements with their attributes, and the text below each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.codes: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag):
        self.names.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data
        if self.names.count("code") > self.names.count("/code"):
            self.codes[-1] += data


async def get(landing, *, path="/", headers=()):
    async def read(_):
        return landing

    transport = httpx.ASGITransport(Starlette(routes=[index_route(read)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.get(path, headers=dict(headers))


def arguments(command):
    """Let a shell take a command apart, without running curl."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    output = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, timeout=10)  # noqa: S603
    return output.stdout.decode().split("\0")[:-1]


async def test_development_shows_shops_callers_and_links():
    response = await get(DEVELOPMENT)
    elements = Elements(response.text)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for text in ("demo", "demo-jp", "Demo 日本", "USD", "JPY", "Shopper", "Customer", "Staff: owner", "15 minutes"):
        assert text in elements.text
    links = [value for name, value in elements.attributes if name == "href"]
    assert links == ["graphiql", "live", "schema.graphql", "readyz", "livez", "metrics"]


async def test_each_shop_has_its_own_callers_with_a_header_and_a_command():
    elements = Elements((await get(DEVELOPMENT)).text)
    headers = [code for code in elements.codes if re.match(r"(Galleria-Shop|Authorization):", code)]
    assert headers == [
        "Galleria-Shop: demo",
        "Authorization: Bearer token-of-customer",
        "Authorization: Bearer token-of-owner",
        "Galleria-Shop: demo-jp",
        "Authorization: Bearer token-of-jp-owner",
    ]
    commands = [arguments(code) for code in elements.codes if code.startswith("curl ")]
    assert [command[0] for command in commands] == ["http://127.0.0.1:8000/graphql"] * len(headers)
    assert [command[4] for command in commands] == headers
    assert "query" in json.loads(commands[0][6])
    assert "token-of-stranger" not in elements.text


async def test_production_shows_neither_shops_nor_tokens_nor_graphiql_even_when_given():
    response = await get(Landing(is_development=False, shops=SHOPS, tokens=TOKENS))
    for hidden in ("token-of", "demo", "Demo 日本", "graphiql", "schema.graphql", "metrics", "<script", "Bearer"):
        assert hidden not in response.text
    assert "readyz" in response.text


async def test_development_without_shops_is_whole():
    elements = Elements((await get(Landing(is_development=True))).text)
    assert "The demo shops" not in elements.text
    assert "script" not in elements.names
    assert ("href", "graphiql") in elements.attributes


HOSTILE = """</code></script><img src=x onerror=alert(1)>"' onclick='alert(2)' $demo ${style} {0} & &amp; `id` $(id)"""


async def test_hostile_values_stay_text():
    landing = Landing(
        is_development=True,
        shops=[DemoShop(HOSTILE, HOSTILE, HOSTILE)],
        tokens=[DemoToken(HOSTILE, HOSTILE, HOSTILE)],
        links=[Link(HOSTILE, HOSTILE, HOSTILE)],
    )
    harmless = Landing(
        is_development=True,
        shops=[DemoShop("s", "n", "c")],
        tokens=[DemoToken("s", "h", "v")],
        links=[Link("t", "a", "n")],
    )
    elements = Elements((await get(landing)).text)
    assert elements.names == Elements((await get(harmless)).text).names
    assert f"Authorization: Bearer {HOSTILE}" in elements.codes
    assert ("href", HOSTILE) in elements.attributes
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    commands = [arguments(code) for code in elements.codes if code.startswith("curl ")]
    assert [command[4] for command in commands] == [f"Galleria-Shop: {HOSTILE}", f"Authorization: Bearer {HOSTILE}"]


async def test_hostile_host_stays_text():
    response = await get(DEVELOPMENT, headers={"Host": "x'\"><script>alert(1)</script>"})
    assert "<script>alert" not in response.text


async def test_addresses_follow_the_host_that_was_asked():
    response = await get(DEVELOPMENT, path="/?a=b", headers={"Host": "shop.example:8123"})
    assert "The API answers at <code>http://shop.example:8123/graphql</code>" in response.text


async def test_policy_allows_exactly_what_the_page_holds():
    response = await get(DEVELOPMENT)
    inline = re.findall(r"<(style|script)>(.*?)</\1>", response.text, re.DOTALL)
    hashes = {tag: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for tag, text in inline}
    assert response.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert not [name for name, _ in Elements(response.text).attributes if name in {"style", "src"}]


@pytest.mark.parametrize("is_development", [True, False])
async def test_page_is_kept_by_no_cache_and_sent_to_nobody(is_development):
    response = await get(Landing(is_development=is_development, shops=SHOPS, tokens=TOKENS))
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_every_visit_is_read_anew():
    visits = iter(["first-token", "second-token"])

    async def read(_):
        return Landing(is_development=True, shops=SHOPS, tokens=[DemoToken("demo", "Customer", next(visits))])

    transport = httpx.ASGITransport(Starlette(routes=[index_route(read)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        assert "first-token" in (await client.get("/")).text
        assert "second-token" in (await client.get("/")).text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(1, "1 minute:"), (15, "15 minutes:"), (60, "1 hour:"), (90, "90 minutes:"), (720, "12 hours:")],
)
async def test_lifetime_is_said_in_whole_units(minutes, text):
    response = await get(Landing(is_development=True, shops=SHOPS, token_minutes=minutes))
    assert f"These tokens are good for {text}" in Elements(response.text).text


def test_tokens_are_not_printed():
    assert "token-of-customer" not in repr(DEVELOPMENT)
