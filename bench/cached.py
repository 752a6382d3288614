"""Answers from the response cache, beside a body that is always the same and sent by the same uvicorn."""

import contextlib
from collections.abc import Mapping, Sequence

import httpx

from bench import contenders, shops
from bench.equality import canonical
from bench.load import Round, Sent, Turn, measure
from bench.measuring import Plan
from bench.operations import body, data_of, documents, requests
from bench.results import ratio
from bench.servers import ROOT, Ground, Program, Running, serving
from core.errors import ConfigurationError

_TIMEOUT_SECONDS = 30.0
_CONSTANT = "constant"
_ANSWERS = 3


def cache_hit(plan: Plan, ground: Ground) -> float:
    """Return how many cached listings a second Galleria sends for each constant body of the same size.

    Raises:
        ConfigurationError: A server does not start, or answers something else.
    """
    with contextlib.ExitStack() as stack:
        cached = contenders.galleria(ground.environ, name="galleria-cached", cached=True)
        server = stack.enter_context(serving(cached, ground))
        sent, answers = _listing(server, ground.environ)
        file = ground.folder / "constant.json"
        file.write_bytes(answers[-1])
        own = {"PATH": ground.environ["PATH"], "PYTHONPATH": str(ROOT), "BODY": str(file)}
        program = Program(_CONSTANT, contenders.uvicorn("bench.peers.constant:application"), own)
        constant = stack.enter_context(serving(program, ground))
        given = Turn([sent], {len(each) for each in answers})
        found: dict[str, list[Round]] = {server.name: [], constant.name: []}
        for _ in range(plan.rounds + 1):
            for each in (server, constant):
                found[each.name].append(measure(each, given, ground, seconds=plan.seconds))
    # The first round was to warm up.
    return ratio(found[server.name][1:], found[constant.name][1:])


def _listing(server: Running, environ: Mapping[str, str]) -> tuple[Sent, Sequence[bytes]]:
    """Return the listing as a shopper asks for it who has not signed in, and its answers: made anew, then kept."""
    with httpx.Client(base_url=server.url, timeout=_TIMEOUT_SECONDS) as client:
        listing = requests(client, shops.shoppers(environ, 1))["listing"][0]
        given = body(listing, documents()["listing"])
        headers = {"Content-Type": "application/json", "Galleria-Shop": listing.shop}
        answers = [client.post("/graphql", content=given, headers=headers) for _ in range(_ANSWERS)]
    if len({canonical(data_of(each)) for each in answers}) > 1:
        raise ConfigurationError("The listing from the response cache is not the one that was made.")
    return Sent(f"Galleria-Shop: {listing.shop}", given), [each.content for each in answers]
