"""Finds the images that ours begins with: chosen ones, those that the Dockerfile names, or some made by debootstrap."""

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.image.context import instructions
from tests.image.engine import PODMAN, built, called

ARGUMENTS = ("PYTHON_IMAGE", "NODE_IMAGE")

PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")

NODE = f"""FROM localhost/galleria-base-debian
ENV NODE_EXTRA_CA_CERTS={TRUSTED} DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends nodejs npm > /dev/null
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Debian:
    """A system that debootstrap makes.

    Attributes:
        tag: Name of its image.
        release: Which Debian.
        packages: What is in it beside the least.
    """

    tag: str
    release: str
    packages: tuple[str, ...]


PYTHON = Debian("localhost/galleria-base-python", "forky", ("python3", "python3-pip", "python3-venv"))
"""The first Debian whose Python is that of the image, 3.14."""

PLAIN = Debian("localhost/galleria-base-debian", "trixie", ())
"""npm is added by apt-get, since debootstrap loses its way among its packages."""


def found() -> dict[str, str] | None:
    """Return the base images by the names of their arguments, or None where none can be had."""
    chosen = {name: os.environ[name] for name in ARGUMENTS if os.environ.get(name)}
    if len(chosen) == len(ARGUMENTS):
        return chosen
    named = dict(
        argument.split("=", 1)
        for each in instructions()
        if each.keyword == "ARG"
        for argument in each.arguments
        if argument.startswith(ARGUMENTS)
    )
    if all(_is_pulled(image) for image in named.values()):
        return named | chosen
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        return None
    return {"PYTHON_IMAGE": _bootstrapped(PYTHON), "NODE_IMAGE": _node()} | chosen


def _is_pulled(image: str) -> bool:
    if _exists(image):
        return True
    with contextlib.suppress(RuntimeError):
        called(*PODMAN, "pull", "--quiet", image)
        return True
    return False


def _exists(tag: str) -> bool:
    with contextlib.suppress(RuntimeError):
        called(*PODMAN, "image", "exists", tag)
        return True
    return False


def _bootstrapped(debian: Debian) -> str:
    """Make a system in a folder, once, and its image."""
    if _exists(debian.tag):
        return debian.tag
    with _roomy() as folder:
        system, archive = folder / "system", folder / "system.tar"
        packages = ",".join(("ca-certificates", *debian.packages))
        # The script of the newest Debian does for all that are newer than this debootstrap.
        called("debootstrap", "--variant=minbase", f"--include={packages}", debian.release, system, "", "sid")
        if TRUSTED.exists():
            # Whom this machine trusts, as a proxy of its company, is trusted while we build.
            shutil.copyfile(TRUSTED, system / TRUSTED.relative_to("/"))
        called("tar", "--create", "--file", archive, "--directory", system, ".")
        called(*PODMAN, "import", "--quiet", "--change", PATH, archive, debian.tag)
    return debian.tag


def _node() -> str:
    tag = "localhost/galleria-base-node"
    if not _exists(tag):
        _bootstrapped(PLAIN)
        with _roomy() as folder:
            (folder / "Dockerfile").write_text(NODE)
            built(tag, folder)
    return tag


@contextlib.contextmanager
def _roomy() -> Iterator[Path]:
    """Give a folder on a disk, where a whole system has room and devices may be made."""
    with tempfile.TemporaryDirectory(prefix="galleria-", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        yield Path(name)
