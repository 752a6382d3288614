"""Rounds: who fails is left out and named, unless it is Galleria."""

import os
import shutil

import pytest
from rich.console import Console

from bench.load import Sent, Turn
from bench.measuring import Plan, _Contest, _rounds
from core.errors import ConfigurationError
from server.demo.profiles import Size

pytestmark = pytest.mark.skipif(
    shutil.which("wrk") is None and not os.environ.get("CI"), reason="wrk is not installed; in CI that is a failure"
)

PLAN = Plan(size=Size.S, shops=1, rounds=2, seconds=1, warm_up_seconds=1)
SENT = [Sent("Galleria-Shop: demo", b"{}")]
RIGHT, WRONG = Turn(SENT, {12}), Turn(SENT, {13})


def test_a_peer_that_fails_is_left_out_of_the_operation(constant, ground):
    contest = _Contest(
        {"galleria": constant, "yoga": constant, "limit": constant},
        {"tiny": {"galleria": RIGHT, "yoga": WRONG, "limit": RIGHT}},
        [],
    )

    found = _rounds(PLAN, contest, ground, Console(quiet=True))

    assert {name: len(rounds) for name, rounds in found["tiny"].items()} == {"galleria": 2, "limit": 2}
    assert len(contest.notes) == 1
    assert contest.notes[0].startswith("tiny: constant: of ")


def test_nothing_is_measured_without_galleria(constant, ground):
    contest = _Contest({"galleria": constant}, {"tiny": {"galleria": WRONG}}, [])

    with pytest.raises(ConfigurationError, match="were not the one expected"):
        _rounds(PLAN, contest, ground, Console(quiet=True))
