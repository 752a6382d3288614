"""Who is measured live, and who subscribes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from bench.contenders import GALLERIA, OLDEST_NODE, PEERS, galleria, node_program, uvicorn
from bench.servers import ROOT, Program
from bench.shops import LARGEST
from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Grant, issue_token
from server.keys import load_keys

GRAPHQL_WS, STRAWBERRY = "graphql_ws", "strawberry"

TITLES = {
    GALLERIA: "Galleria",
    GRAPHQL_WS: "graphql-ws 6 on ws 8 (Node.js)",
    STRAWBERRY: "Strawberry",
}
"""Names for people, in the order of tables."""

_LIFETIME = timedelta(hours=3)
"""Of a token: longer than any run."""


def programs(environ: Mapping[str, str]) -> tuple[list[Program], list[str]]:
    """Return the servers that can be run here, Galleria first, and why the others cannot."""
    own = {
        "PATH": environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "NODE_ENV": "production",
        "TOKEN_KEYS": environ["GALLERIA_TOKEN_KEYS"],
        "TOKEN_ISSUER": environ["GALLERIA_TOKEN_ISSUER"],
        "TOKEN_AUDIENCE": environ["GALLERIA_TOKEN_AUDIENCE"],
    }
    found = [galleria(environ), Program(STRAWBERRY, uvicorn("bench.peers.live_strawberry:application"), own)]
    node = node_program()
    if node is None or not (PEERS / "node_modules" / "graphql-ws").is_dir():
        missing = f"not measured, for want of Node.js {OLDEST_NODE} or its packages: run `npm ci` in bench/peers"
        return found, [f"{GRAPHQL_WS}: {missing}"]
    found.insert(1, Program(GRAPHQL_WS, [node, str(PEERS / "live_graphql_ws.mjs")], own))
    return found, []


def owner(environ: Mapping[str, str]) -> str:
    """Return the token of whoever makes the events."""
    return _tokens(environ, [Actor(ActorKind.STAFF, "bench", ROLES["owner"])])[0]


def customers(environ: Mapping[str, str], number: int, name: str) -> Sequence[str]:
    """Return the tokens of customers.

    Args:
        environ: Settings of Galleria.
        number: How many.
        name: What all their names begin with.
    """
    return _tokens(environ, [Actor(ActorKind.CUSTOMER, f"{name}-{place}") for place in range(number)])


def _tokens(environ: Mapping[str, str], actors: Sequence[Actor]) -> Sequence[str]:
    keys = load_keys(Path(environ["GALLERIA_TOKEN_KEYS"]))
    issuer, audience = environ["GALLERIA_TOKEN_ISSUER"], environ["GALLERIA_TOKEN_AUDIENCE"]
    return [
        issue_token(keys, Grant(issuer=issuer, audience=audience, shop=LARGEST, actor=actor, lifetime=_LIFETIME))
        for actor in actors
    ]
