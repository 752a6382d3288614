"""A storm: subscribers who all come back at once, each with the sequence of the last event that it has heard."""

from rich.console import Console

from bench.contenders import GALLERIA
from bench.live import tasks
from bench.live.contenders import customers
from bench.live.contest import Contender, Contest
from bench.live.messages import hello
from bench.live.processes import settle
from core.errors import ConfigurationError

MISSED = 3
"""Events that each has missed, and hears of first."""


def storms(
    here: Contest, *, subscribers: int, rounds: int, rounds_of_peers: int, console: Console
) -> dict[str, list[float]]:
    """Return how long storms took until each had heard of all that it missed, in seconds, by server.

    Each subscriber is a customer of his own whom the server has never seen before, as after a restart.

    Args:
        here: The servers.
        subscribers: How many come back.
        rounds: Storms of Galleria.
        rounds_of_peers: Storms of each other server.
        console: Is told of the progress.
    """
    found: dict[str, list[float]] = {}
    for number in range(max(rounds, rounds_of_peers)):
        for name, contender in list(here.contenders.items()):
            if number >= (rounds if name == GALLERIA else rounds_of_peers):
                continue
            console.print(f"  {name}, storm {number + 1}")
            try:
                found.setdefault(name, []).append(_storm(here, contender, subscribers, number))
            except ConfigurationError as error:
                if name == GALLERIA:
                    raise
                here.notes.append(f"{name}, storm: {error}")
                del here.peers[name], found[name]
    return found


def _storm(here: Contest, contender: Contender, subscribers: int, number: int) -> float:
    people = customers(here.environ, subscribers, f"storm-{number}")
    known = contender.sequence
    missed = [contender.publication() for _ in range(MISSED)]
    contender.audience.do(tasks.publish, missed, contender.accepted)
    contender.sequence = str(int(known) + MISSED)
    settle(contender.server)
    hellos = [hello(token, [here.subject], known) for token in people]
    took = contender.audience.do(tasks.come_back, hellos, MISSED)
    contender.audience.do(tasks.leave)
    settle(contender.server)
    return took
