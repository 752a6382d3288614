"""Load: wrk on a server whose answers are known."""

import os
import shutil
import sys

import pytest

from bench.load import Sent, Turn, measure
from bench.servers import Program, serving
from core.errors import ConfigurationError

needs_wrk = pytest.mark.skipif(
    shutil.which("wrk") is None and not os.environ.get("CI"), reason="wrk is not installed; in CI that is a failure"
)


@needs_wrk
def test_a_turn_has_figures(constant, ground):
    turn = Turn([Sent("Authorization: Bearer one", b"{}"), Sent("Galleria-Shop: demo", b"{}")], {11, 12})

    found = measure(constant, turn, ground, seconds=1)

    assert found.rps > 50
    assert found.p99_ms > 0
    if sys.platform == "linux":
        assert 1 < found.cpu_us < 100_000


@needs_wrk
def test_an_answer_of_another_size_ends_the_run(constant, ground):
    with pytest.raises(ConfigurationError, match="were not the one expected"):
        measure(constant, Turn([Sent("Galleria-Shop: demo", b"{}")], {13}), ground, seconds=1)


def test_a_server_that_ends_at_once_is_quoted(ground):
    program = Program("broken", [sys.executable, "-c", "raise SystemExit('no such port')"], {})

    with pytest.raises(ConfigurationError, match="broken did not start: no such port"), serving(program, ground):
        pass
