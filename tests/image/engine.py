"""Calls of buildah and podman, such that they work without systemd and inside of containers too."""

import resource
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.image.context import ROOT

NEEDED = ("buildah", "podman")

_FILES = ":".join(map(str, resource.getrlimit(resource.RLIMIT_NOFILE)))

# Engines would raise the limits, which takes a right that root in a container does not have.
_LIMITS = (f"--ulimit=nofile={_FILES}", "--ulimit=nproc=1024:1024")

# runc gets along with every way in which control groups are mounted.
_RUNTIME = ["--cgroup-manager=cgroupfs", "--runtime=runc"] if shutil.which("runc") else []

PODMAN = ("podman", *_RUNTIME)

RUN = (
    *(*PODMAN, "run", "--rm", "--network=host", *_LIMITS),
    # Not even the folders in memory that podman would add.
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges"),
    # Podman leaves probes to systemd, which is not everywhere; we run them.
    *("--no-healthcheck", "--pull=never"),
)
"""How an image is run: it may do nothing that it need not do."""


def missing() -> list[str]:
    """Return the programs that are not there."""
    return [program for program in NEEDED if shutil.which(program) is None]


def called(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        RuntimeError: It failed; the message is what it said.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2_000:]}{done.stderr[-6_000:]}")
    return done.stdout.strip()


def built(tag: str, folder: Path, arguments: Sequence[str] = ()) -> str:
    """Build the Dockerfile of a folder anew, without any date in it, and return the image's id."""
    options = ["--isolation=chroot", "--network=host", "--pull-never", "--format=docker", "--timestamp=0", "--quiet"]
    return called("buildah", "bud", *options, *(f"--build-arg={each}" for each in arguments), f"--tag={tag}", folder)
