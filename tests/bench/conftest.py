"""A server whose answers are known."""

import os
import sys

import pytest

from bench.machine import Cores
from bench.servers import ROOT, Ground, Program, serving


@pytest.fixture
def ground(tmp_path):
    return Ground({}, tmp_path, Cores())


@pytest.fixture
def constant(ground):
    file = ground.folder / "body.json"
    file.write_bytes(b'{"data": {}}')
    command = [sys.executable, "-m", "uvicorn", "bench.peers.constant:application", "--port", "{port}"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "BODY": str(file)}
    with serving(Program("constant", command, environ), ground) as running:
        yield running
