import gzip
import json
import shutil

import httpx
import pytest
from starlette.applications import Starlette

from core.errors import ConfigurationError
from server import graphiql


def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=graphiql.routes()))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_page_is_html_and_is_asked_for_again_each_time():
    async with client() as http:
        response = await http.get("/graphiql")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "<title>GraphiQL · Galleria</title>" in response.text


async def test_page_works_below_a_prefix_since_it_names_nothing_absolute():
    async with client() as http:
        page = (await http.get("/graphiql")).text
        slash = await http.get("/graphiql/")
    assert 'src="graphiql/main.js"' in page
    assert 'href="/' not in page
    assert (slash.status_code, slash.headers["location"]) == (308, "../graphiql")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("main.css", "text/css; charset=utf-8"),
        ("editor.worker.js", "text/javascript; charset=utf-8"),
        ("graphql.worker.js", "text/javascript; charset=utf-8"),
        ("json.worker.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("licences.txt", "text/plain; charset=utf-8"),
        ("examples.json", "application/json"),
    ],
)
async def test_each_file_has_its_type_and_the_policy(path, media_type):
    async with client() as http:
        response = await http.get(f"/graphiql/{path}")
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self'; "
        "connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


async def test_every_built_file_is_served_with_a_type():
    dist = graphiql.FOLDER / "dist"
    names = [path.relative_to(dist).as_posix().removesuffix(".gz") for path in dist.rglob("*.gz")]
    assert len(names) > 20
    async with client() as http:
        answers = [await http.get(f"/graphiql/{name}") for name in names]
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.headers["content-type"] for answer in answers)


async def test_chunks_are_kept_for_good_and_entry_points_are_not():
    chunk = next((graphiql.FOLDER / "dist" / "chunks").glob("*.js.gz")).name.removesuffix(".gz")
    async with client() as http:
        kept = await http.get(f"/graphiql/chunks/{chunk}")
        asked = await http.get("/graphiql/main.js")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asked.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP", "gzip;q=0.5", "*", "identity;q=0.1, gzip; q=1"])
async def test_gzip_is_sent_to_who_accepts_it(accepted):
    async with (
        client() as http,
        http.stream("GET", "/graphiql/main.js", headers={"Accept-Encoding": accepted}) as response,
    ):
        body = b"".join([part async for part in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert body == (graphiql.FOLDER / "dist" / "main.js.gz").read_bytes()


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000", "xgzip"])
async def test_plain_bytes_are_sent_to_everybody_else(accepted):
    async with client() as http:
        response = await http.get("/graphiql/main.js", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in response.headers
    assert response.content == gzip.decompress((graphiql.FOLDER / "dist" / "main.js.gz").read_bytes())


@pytest.mark.parametrize("form", ["{}", '"other", {}'])
async def test_known_content_is_not_sent_again(form):
    async with client() as http:
        first = await http.get("/graphiql/main.js")
        again = await http.get("/graphiql/main.js", headers={"If-None-Match": form.format(first.headers["etag"])})
        other = await http.get("/graphiql/main.js", headers={"If-None-Match": 'W/"other"'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    "path",
    [
        "__init__.py",
        "package.json",
        "dist/main.js.gz",
        "main.js.gz",
        "../__init__.py",
        "chunks/../../__init__.py",
        "chunks/..\\..\\__init__.py",
        "%2e%2e/__init__.py",
        "/etc/passwd",
        "main.js\0",
        "chunks",
        "chunks/",
        "./main.js",
        "MAIN.JS",
    ],
)
async def test_nothing_but_the_bundle_is_served(path):
    # Straight to the application, since a client resolves the dots before it sends them.
    messages = []

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": f"/graphiql/{path}", "headers": [], "query_string": b""}
    await Starlette(routes=graphiql.routes())(scope, None, send)
    start, *rest = messages
    assert start["status"] == 404
    assert b"".join(message["body"] for message in rest) == b""


async def test_writing_is_not_allowed():
    async with client() as http:
        response = await http.post("/graphiql/main.js")
    assert response.status_code == 405


async def test_examples_have_the_four_fields_and_name_a_shop():
    async with client() as http:
        examples = (await http.get("/graphiql/examples.json")).json()
    assert len(examples) >= 3
    assert len({example["title"] for example in examples}) == len(examples)
    for example in examples:
        assert set(example) == {"title", "query", "variables", "headers"}
        assert example["headers"]["Galleria-Shop"] == "demo"
        assert example["query"].startswith("# ")
    assert examples == json.loads((graphiql.FOLDER / "examples.json").read_text())


def test_missing_bundle_is_told_at_start(tmp_path, monkeypatch):
    monkeypatch.setattr(graphiql, "FOLDER", tmp_path)
    with pytest.raises(ConfigurationError, match=r"holds no GraphiQL; restore it from the repository"):
        graphiql.routes()


@pytest.mark.parametrize(
    "damaged",
    [b"not gzip", gzip.compress(b"console.log(1)", mtime=0)[:-9], b"\x1f\x8b\x08" + b"\xff" * 40],
    ids=["other", "cut", "garbled"],
)
def test_damaged_bundle_is_told_at_start(tmp_path, monkeypatch, damaged):
    shutil.copytree(graphiql.FOLDER / "dist", tmp_path / "dist")
    (tmp_path / "dist" / "main.js.gz").write_bytes(damaged)
    monkeypatch.setattr(graphiql, "FOLDER", tmp_path)
    with pytest.raises(ConfigurationError, match=r"main\.js\.gz is damaged"):
        graphiql.routes()


def test_locks_pin_content_and_name_no_registry():
    for lock in (graphiql.FOLDER / "package-lock.json", graphiql.FOLDER.parent.parent / "tests/node/package-lock.json"):
        packages = json.loads(lock.read_text())["packages"]
        packages.pop("")
        assert all(package["integrity"].startswith("sha512-") for package in packages.values())
        assert not [name for name, package in packages.items() if "resolved" in package]
