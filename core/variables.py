"""Typed values out of environment variables and mounted secret files."""

import dataclasses
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import ConfigurationError

Network = IPv4Network | IPv6Network


@dataclasses.dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be seen in logs or tracebacks.

    Attributes:
        value: The secret itself.
    """

    value: str = dataclasses.field(repr=False)

    def __str__(self) -> str:
        """Return what may be shown: of a URL all but its user, password and parameters, of anything else nothing."""
        url = urlsplit(self.value) if "://" in self.value else None
        if url is None or url.hostname is None:
            return "********"
        port = f":{url.port}" if url.port else ""
        return f"{url.scheme}://********@{url.hostname}{port}{url.path}"


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """How one setting is read.

    Attributes:
        name: The environment variable; with `_FILE` appended it names a file that holds the value.
        parse: Turns text into the value, or raises ValueError with the rest of a sentence that starts with the name.
        description: What it is for; the first sentence stands alone.
        default: Used where nothing is set.
        development: Used instead of `default` in development.
        is_required: Whether production refuses to start without it.
    """

    name: str
    parse: Callable[[str], Any]
    description: str
    default: str | None = None
    development: str | None = None
    is_required: bool = False

    def text(self, environ: Mapping[str, str]) -> str | None:
        """Return what is set.

        An empty variable counts as unset, since charts and compose files cannot leave one out.

        Raises:
            ConfigurationError: Both the variable and its file are set, or the file is unreadable.
        """
        text, file = environ.get(self.name), environ.get(f"{self.name}_FILE")
        if text and file:
            raise ConfigurationError(f"Set {self.name} or {self.name}_FILE, not both.")
        if not file:
            return text or None
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self.name}_FILE must name a readable text file: {error}.") from None

    def value(self, text: str | None, *, is_development: bool) -> Any:
        """Return the typed value of what is set, or of the default, or None where there is neither.

        Raises:
            ConfigurationError: The text is wrong, or missing where one is required.
        """
        if text is None and is_development:
            text = self.development
        if text is None:
            text = self.default
        if text is None and self.is_required and not is_development:
            raise ConfigurationError(
                f"Set {self.name} ({self.description.partition('. ')[0].rstrip('.')}), "
                "or GALLERIA_ENVIRONMENT=development to try Galleria out."
            )
        if text is None:
            return None
        try:
            return self.parse(text)
        except ValueError as error:
            raise ConfigurationError(f"{self.name} {error}.") from None


def integer(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers between two bounds, both allowed."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def integer_or_auto(least: int, most: int) -> Callable[[str], int | None]:
    """Return a parser of whole numbers between two bounds, both allowed, and of `auto`, which is None."""
    number = integer(least, most)
    return lambda text: None if text == "auto" else number(text)


MEBIBYTE = 1_048_576
_CACHE_SIZES = {"on": 64, "off": 0}


def cache_size(text: str) -> int:
    """Parse the size of a cache, in MiB or as `on` or `off`, into bytes."""
    if text in _CACHE_SIZES:
        return _CACHE_SIZES[text] * MEBIBYTE
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:  # noqa: PLR2004  (a TB, in MiB)
        raise ValueError(f"must be on, off or a whole number of MiB, not {text!r}")
    return int(text) * MEBIBYTE


def secret_url(*schemes: str) -> Callable[[str], Secret]:
    """Return a parser of URLs, which may hold a password, of the given schemes."""

    def parse(text: str) -> Secret:
        url = urlsplit(text)
        if url.scheme not in schemes or not (url.netloc or url.path) or not _has_good_port(text):
            raise ValueError(f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return Secret(text)

    return parse


def _has_good_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def existing_file(text: str) -> Path:
    """Parse the path of a file that exists."""
    if not Path(text).is_file():
        raise ValueError(f"must name a file that exists, not {text!r}")
    return Path(text)


def origins(text: str) -> tuple[str, ...]:
    """Parse web origins (RFC 6454) that are separated by commas."""
    found = tuple(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in found:
        url = urlsplit(origin)
        if url.scheme not in {"http", "https"} or not url.netloc or origin != f"{url.scheme}://{url.netloc}":
            raise ValueError(f"must be origins such as https://shop.example separated by commas, not {origin!r}")
    return found


def networks(text: str) -> tuple[Network, ...]:
    """Parse networks that are separated by commas; an address is a network of its own."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"must be networks such as 10.0.0.0/8 separated by commas: {error}") from None


def switch(text: str) -> bool:
    """Parse `on` or `off`."""
    return one_of("on", "off")(text) == "on"


def one_of(*texts: str) -> Callable[[str], str]:
    """Return a parser of one of several texts."""

    def parse(text: str) -> str:
        if text not in texts:
            raise ValueError(f"must be {' or '.join(texts)}, not {text!r}")
        return text

    return parse
