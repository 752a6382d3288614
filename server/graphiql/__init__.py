"""GraphiQL for development: our own bundle, from our own origin, under a strict policy."""

import dataclasses
import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import ConfigurationError

FOLDER: Final = Path(__file__).parent
INDEX: Final = "index.html"

_SOURCES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    # Monaco writes its themes and positions into style elements and attributes that it makes as it goes, without a
    # nonce: no other source of styles lets it live.
    "style-src": "'self' 'unsafe-inline'",
    "worker-src": "'self'",
    # Covers ws and wss of the same host and port as well (Content Security Policy 3, 6.7.2.8).
    "connect-src": "'self'",
    # Monaco draws squiggles and a few of its icons from data addresses.
    "img-src": "'self' data:",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY: Final = "; ".join(f"{directive} {sources}" for directive, sources in _SOURCES.items())

_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Asset:
    """One file of the bundle.

    Attributes:
        compressed: The content as gzip.
        media_type: Value of `Content-Type`.
        etag: Validator of the content; weak, since both encodings share it (RFC 9110, 8.8.1).
        cache_control: How long a browser may use it without asking.
    """

    compressed: bytes
    media_type: str
    etag: str
    cache_control: str


def routes() -> list[Route]:
    """Make the routes of `/graphiql`; in production the caller leaves them out.

    Raises:
        ConfigurationError: The built bundle is not there or is damaged.
    """
    assets = _assets()

    async def file(request: Request) -> Response:
        asset = assets.get(request.path_params["path"])
        return _answer(request, asset) if asset else Response(status_code=404, headers=_HEADERS)

    async def page(request: Request) -> Response:
        return _answer(request, assets[INDEX])

    async def slash(_: Request) -> Response:
        # The page names its files relative to itself, so that it works below any prefix, but only without the slash.
        return RedirectResponse("../graphiql", status_code=308, headers=_HEADERS)

    return [
        Route("/graphiql", page, name="graphiql"),
        Route("/graphiql/", slash, name="graphiql_slash"),
        Route("/graphiql/{path:path}", file, name="graphiql_file"),
    ]


def _assets() -> Mapping[str, Asset]:
    """Read every file that is served; a request never reaches the file system."""
    assets = dict(_built(FOLDER / "dist"))
    if INDEX not in assets:
        raise ConfigurationError(f"{FOLDER / 'dist'} holds no GraphiQL; restore it from the repository.")
    examples = (FOLDER / "examples.json").read_bytes()
    assets["examples.json"] = _asset("examples.json", examples, gzip.compress(examples, mtime=0))
    return assets


def _built(dist: Path) -> Iterator[tuple[str, Asset]]:
    for path in sorted(dist.rglob("*.gz")):
        name = path.relative_to(dist).with_suffix("").as_posix()
        compressed = path.read_bytes()
        try:
            content = gzip.decompress(compressed)
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigurationError(f"{path} is damaged ({error}); restore it from the repository.") from error
        yield name, _asset(name, content, compressed)


def _asset(name: str, content: bytes, compressed: bytes) -> Asset:
    # Chunks are named after their content, so that a changed one has another address.
    is_named_by_content = name.startswith("chunks/")
    return Asset(
        compressed=compressed,
        media_type=_media_type(name),
        etag=f'W/"{hashlib.sha256(content).hexdigest()[:32]}"',
        cache_control="public, max-age=31536000, immutable" if is_named_by_content else "no-cache",
    )


# Not `mimetypes.guess_type`, which asks the machine it runs on.
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}


def _media_type(name: str) -> str:
    return _MEDIA_TYPES[Path(name).suffix]


def _answer(request: Request, asset: Asset) -> Response:
    headers = {**_HEADERS, "Cache-Control": asset.cache_control, "ETag": asset.etag}
    if asset.etag in _items(request.headers.get("If-None-Match", "")):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = asset.media_type
    if _accepts_gzip(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, headers=headers)
    return Response(gzip.decompress(asset.compressed), headers=headers)


def _accepts_gzip(accept_encoding: str) -> bool:
    for item in _items(accept_encoding):
        coding, _, weight = item.replace(" ", "").lower().partition(";")
        if coding in {"gzip", "*"}:
            # A weight of zero forbids (RFC 9110, 12.4.2); it has at most three decimals.
            return weight not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _items(header: str) -> list[str]:
    return [item.strip() for item in header.split(",")]
