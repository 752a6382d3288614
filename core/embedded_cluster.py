"""The files of the embedded PostgreSQL: made once, checked at each start."""

import dataclasses
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.embedded_binaries import Account, shelter
from core.errors import ConfigurationError

MAJOR_VERSION = "18"
DATABASE = "galleria"
SUPERUSER = "postgres"
OWNER, APPLICATION, WORKER = "galleria_owner", "galleria_app", "galleria_worker"

ROLES = f"""
CREATE ROLE {OWNER} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD '{{{OWNER}}}';
CREATE ROLE {APPLICATION} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{{{APPLICATION}}}';
CREATE ROLE {WORKER} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{{{WORKER}}}';
GRANT {APPLICATION}, {WORKER} TO {OWNER} WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;
CREATE DATABASE {DATABASE} OWNER {OWNER};
"""
"""What migrations need to find; single-user mode ends a statement at the end of its line."""


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """What a postmaster writes about itself into `postmaster.pid`.

    Attributes:
        pid: Its process.
        port: Where it listens.
        is_ready: Whether it takes connections.
    """

    pid: int
    port: int
    is_ready: bool


def state(cluster: Path) -> State | None:
    """Return what the postmaster of a cluster last wrote about itself; None when it never ran or ended properly."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        is_ready = len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - the eighth line is the status.
        return State(int(lines[0]), int(lines[3]), is_ready)
    except (FileNotFoundError, IndexError, ValueError):
        return None


def passwords(folder: Path) -> Mapping[str, str]:
    """Return the passwords of the roles.

    Raises:
        ConfigurationError: They are lost.
    """
    path = folder / "passwords.json"
    try:
        found: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
        return {role: found[role] for role in (SUPERUSER, OWNER, APPLICATION, WORKER)}
    except (OSError, ValueError, KeyError):
        raise ConfigurationError(f"The passwords in {path} cannot be read. {elsewhere(folder)}") from None


def elsewhere(folder: Path) -> str:
    """Return what to do about a folder that cannot be used."""
    return f"Move {folder} away to start afresh, or use another data folder: make serve DATA=folder"


def prepare(folder: Path, programs: Path, runner: Account) -> Path:
    """Return the folder of the cluster, which is made the first time.

    It is filled under another name and renamed when complete, so that it is never found half made.

    Raises:
        ConfigurationError: There is one, and it cannot be used.
    """
    cluster = folder / "cluster"
    if not os.path.lexists(cluster):
        home = folder if runner.reaches(cluster) else shelter(folder)
        _make(folder, home, programs, runner)
        if home != folder:
            cluster.symlink_to(home / "cluster")
    version = cluster / "PG_VERSION"
    if not version.is_file():
        raise ConfigurationError(f"{cluster} does not hold a PostgreSQL database. {elsewhere(folder)}")
    found = version.read_text(encoding="ascii").strip()
    if found != MAJOR_VERSION:
        raise ConfigurationError(
            f"{cluster} was written by PostgreSQL {found}, and this is {MAJOR_VERSION}. {elsewhere(folder)}"
        )
    return cluster.resolve()


def _make(folder: Path, home: Path, programs: Path, runner: Account) -> None:
    """Make a cluster with its roles and the database, and keep the passwords."""
    partial = home / "cluster.partial"
    for leftover in (partial, home / "cluster"):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    runner.own(partial)
    generated = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APPLICATION, WORKER)}
    _initialise(partial, programs, runner, password=generated[SUPERUSER])
    done = runner.run(
        [programs / "postgres", "--single", "-D", partial, "-c", "fsync=off", "postgres"],
        text=ROLES.strip().format(**generated) + "\n",
    )
    if done.returncode or "ERROR:" in done.stderr:
        raise ConfigurationError(f"PostgreSQL could not make its roles: {_last_line(done.stderr)}. {elsewhere(folder)}")
    _write_private(folder / "passwords.json", json.dumps(generated))
    partial.rename(home / "cluster")


def _initialise(partial: Path, programs: Path, runner: Account, *, password: str) -> None:
    secret = partial.with_name("superuser.password")
    _write_private(secret, password)
    runner.own(secret)
    identity: list[str | Path] = [
        "--pgdata",
        partial,
        f"--username={SUPERUSER}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
    ]
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale"]
    try:
        done = runner.run([programs / "initdb", *identity, *locale, "--no-instructions", "--no-sync"])
    finally:
        secret.unlink()
    if done.returncode:
        raise ConfigurationError(
            f"PostgreSQL could not fill {partial.parent}: {_last_line(done.stderr)}. {elsewhere(partial.parent)}"
        )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
