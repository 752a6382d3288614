"""The benchmark's own measures, against processes whose doings are known."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.machine import processor_seconds, share_cores

ROOT = Path(__file__).parent.parent.parent
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what other processes use")


def test_without_wrk_it_says_what_to_install(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "bench"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr == "Install wrk, which makes the load (Debian and Ubuntu: apt install wrk).\n"


@linux
def test_processor_time_is_that_of_the_process():
    code = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ninput()"
    with subprocess.Popen(  # noqa: S603 - the program is ours.
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        assert 0.45 <= processor_seconds(process.pid) < 2
        process.communicate("\n")

    assert processor_seconds(process.pid) is None


@linux
def test_the_server_shares_its_core_with_nobody():
    cores = share_cores()

    assert not cores.server & cores.others
    assert cores.server | cores.others in (os.sched_getaffinity(0), set())
