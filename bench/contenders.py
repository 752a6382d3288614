"""Who is measured: Galleria, and the servers that it is compared with."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.servers import ROOT, Program

GALLERIA = "galleria"
LIMIT = "limit"

TITLES = {
    GALLERIA: "Galleria",
    "postgraphile": "PostGraphile 5",
    "mercurius": "Mercurius 16 (jit, loaders)",
    "yoga": "GraphQL Yoga 5 (dataloader)",
    "apollo": "Apollo Server 5 (dataloader)",
    "strawberry": "Strawberry + SQLAlchemy ORM",
    LIMIT: "one hand-written statement",
}
"""Names for people, in the order of tables."""

ON_NODE = ("postgraphile", "mercurius", "yoga", "apollo")
ON_PYTHON = {"strawberry": "bench.peers.strawberry_orm:application", LIMIT: "bench.peers.limit:application"}

PEERS = ROOT / "bench" / "peers"
DOCUMENTS = {"postgraphile": PEERS / "postgraphile.graphql"}
"""Operations of servers that need their own; all others are asked as Galleria is."""

OLDEST_NODE = 22
"""PostGraphile needs `Promise.withResolvers`."""

_POOL_SIZE = "10"
_UVICORN = "--loop uvloop --http httptools --no-access-log --log-level warning --port {port}".split()

_BUDGETS = "shopper={0},customer={0},staff={0},key={0},shop=50000000/50000000".format("25000000/25000000")
"""The greatest there are: every request is priced and charged, and none refused."""


def galleria(environ: Mapping[str, str], *, name: str = GALLERIA, cached: bool = False) -> Program:
    """Return Galleria, with answers from its response cache or without."""
    settings = {
        "GALLERIA_POOL_SIZE": _POOL_SIZE,
        "GALLERIA_BUDGETS": _BUDGETS,
        "GALLERIA_RESPONSE_CACHE": "on" if cached else "off",
        "GALLERIA_SOCKETS": "1000000",
        "GALLERIA_SOCKETS_PER_CLIENT": "1000000",
    }
    return Program(name, [sys.executable, "-m", "server", "serve"], {**environ, **settings}, "GALLERIA_PORT")


def peers(environ: Mapping[str, str]) -> tuple[list[Program], list[str]]:
    """Return the peers that can be run here, and why the others cannot."""
    own = {
        "PATH": environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        "DATABASE_URL": environ["DATABASE_URL"],
        "POOL_SIZE": _POOL_SIZE,
        "TOKEN_KEYS": environ["GALLERIA_TOKEN_KEYS"],
        "TOKEN_ISSUER": environ["GALLERIA_TOKEN_ISSUER"],
        "TOKEN_AUDIENCE": environ["GALLERIA_TOKEN_AUDIENCE"],
    }
    found = [Program(name, uvicorn(application), own) for name, application in ON_PYTHON.items()]
    node = node_program()
    if node is None:
        missing = f"not measured, for want of Node.js {OLDEST_NODE} or its packages: run `npm ci` in bench/peers"
        return found, [f"{name}: {missing}" for name in ON_NODE]
    on_node = [Program(name, [node, "--no-deprecation", str(PEERS / f"{name}.mjs")], own) for name in ON_NODE]
    return on_node + found, []


def uvicorn(application: str) -> list[str]:
    """Return the command that serves an ASGI application as Galleria is served."""
    return [sys.executable, "-m", "uvicorn", application, *_UVICORN]


def node_program() -> str | None:
    """Return the Node.js that the lock file pins, or that of the system where there is none for it; or None."""
    modules = PEERS / "node_modules"
    if not (modules / "postgraphile").is_dir():
        return None
    pinned = sorted(modules.glob("node-*/bin/node"))
    program = str(pinned[0]) if pinned else shutil.which("node")
    return program if program is not None and _version(Path(program)) >= OLDEST_NODE else None


def _version(node: Path) -> int:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  (found above)
    found = re.match(r"v(\d+)", told.stdout)
    return int(found[1]) if found else 0
