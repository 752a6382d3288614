"""The tree of the image, run as the image runs it: as nobody in particular, where nothing can be written."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from server.keys import development_keys
from tests.image.context import ROOT, TREE, environment, lay_out
from tests.servers import folder, free_port

USER = 10_001
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def tree():
    """The tree, closed to writing for everybody."""
    with folder() as place:
        made = place / "galleria"
        lay_out(made)
        close(made)
        yield made
        for path in (made, *made.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)


def close(made):
    for path in (*made.rglob("*"), made):
        path.chmod(0o555 if path.is_dir() else 0o444)


def state(tree):
    """What is in the tree, and when it was last written."""
    return {path: path.stat().st_mtime_ns for path in (tree, *tree.rglob("*"))}


@pytest.fixture
def environ(tree, postgres, tmp_path):
    """What a container is told: what the image sets, and what production needs."""
    development_keys(tmp_path)
    tmp_path.joinpath("token-keys.json").chmod(0o444)
    with free_port() as one, free_port() as other:
        ports = {"GALLERIA_PORT": one.getsockname()[1], "GALLERIA_METRICS_PORT": other.getsockname()[1]}
    named = {name: value.replace(TREE, str(tree)) for name, value in environment().items() if name != "PATH"}
    return {
        **named,
        "PATH": os.defpath,
        "GALLERIA_DATA": str(tree / "data"),
        "GALLERIA_DRAIN_SECONDS": "0",
        "GALLERIA_TOKEN_KEYS": str(tmp_path / "token-keys.json"),
        "GALLERIA_TOKEN_ISSUER": "galleria-development",
        "DATABASE_URL": postgres.app_url,
        "GALLERIA_OWNER_DATABASE_URL": postgres.owner_url,
        **{name: str(port) for name, port in ports.items()},
    }


def command(*arguments):
    """A command of the server; root gives all up but to read, since Python may lie in a home of its own."""
    run = [sys.executable, "-m", "server", *arguments]
    if os.geteuid() != 0:
        return run
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs", *reading, "--", *run]


def run(*arguments, environ):
    return subprocess.run(  # noqa: S603 - the program is ours.
        command(*arguments),
        cwd="/",
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@contextlib.contextmanager
def serving(environ):
    """Serve from the tree, from the moment on that everything answers."""
    process = subprocess.Popen(  # noqa: S603 - the program is ours.
        command("serve"), cwd="/", env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if "Galleria answers on" in line:
                    break
            else:
                pytest.fail(f"It did not serve: {''.join(said)}")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_it_serves_and_ends_in_order_and_leaves_no_trace(tree, environ, shop):
    before = state(tree)
    port = environ["GALLERIA_PORT"]
    with serving(environ) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        ready = client.get("/readyz")
        probe = run("probe", "ready", environ=environ)
        answer = client.post("/graphql", json={"query": "{ shop { slug } }"}, headers={"Galleria-Shop": shop.slug})
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert (probe.returncode, json.loads(probe.stdout)) == (0, ready.json())
    assert answer.json()["data"] == {"shop": {"slug": shop.slug}}
    if os.geteuid() == 0:
        assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n" in status
    assert (process.returncode, errors.splitlines()[-1]) == (0, "Stopped.")
    assert state(tree) == before


def test_every_command_finds_what_it_reads(tree, environ):
    before = state(tree)
    printed = run("schema", environ=environ)
    assert printed.stdout == (ROOT / "schema" / "schema.graphql").read_text(), printed.stderr
    listed = run("--help", environ=environ)
    assert listed.returncode == 0, listed.stderr
    migrated = run("migrate", environ=environ)
    assert migrated.stdout == "Migrated to head.\n", migrated.stderr
    assert state(tree) == before


def test_the_program_is_that_of_the_tree(tree, environ):
    said = run_python("import core, server; print(core.__file__, server.__file__)", environ=environ)
    assert said == f"{tree}/core/__init__.py {tree}/server/__init__.py\n"


def test_nobody_can_write_there(tree, environ):
    writing = f"import pathlib; pathlib.Path({str(tree)!r}, 'core', 'new').touch()"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run_python(writing, environ=environ)
    assert "PermissionError" in refused.value.stderr


def run_python(code, *, environ):
    *before, _, _ = command()
    return subprocess.run(  # noqa: S603 - the program is ours.
        [*before, "-c", code], cwd="/", env=environ, capture_output=True, text=True, check=True
    ).stdout
