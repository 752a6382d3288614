"""The executor without a database: it must not become dearer."""

import subprocess
import sys
import time

from bench.executor import judged, least_ratio
from bench.servers import ROOT


def test_executing_an_operation_has_not_become_dearer():
    ended = subprocess.run(
        [sys.executable, "-m", "bench.executor"], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "of graphql-core's time" in ended.stdout or "Nothing is kept" in ended.stdout


def test_a_regression_is_what_no_attempt_is_free_of():
    assert judged([12.0, 11.4], 10.0)
    assert not judged([12.0, 11.6], 10.0)


def test_the_least_samples_are_compared():
    def busy(milliseconds):
        until = time.process_time_ns() + milliseconds * 1_000_000
        while time.process_time_ns() < until:
            pass

    assert 3.5 < least_ratio(lambda: busy(4), lambda: busy(1)) < 4.5
