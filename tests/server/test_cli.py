"""The command line as people use it: started as a process, spoken to over HTTP, stopped by signals."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from core.embedded_cluster import state
from server.cli import COMMANDS, main
from tests.servers import folder, free_port

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 60
STOP_SECONDS = 30


@pytest.fixture
def place():
    """A data folder."""
    with folder() as made:
        yield made / "data"


@pytest.fixture
def port():
    """A port that is free."""
    with free_port() as reserved:
        return reserved.getsockname()[1]


def environment(place, port, **more):
    # Coverage measures the processes that tests start, and tells them so by variables.
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "COVERAGE_"))}
    return {
        **inherited,
        "GALLERIA_ENVIRONMENT": "development",
        "GALLERIA_DATA": str(place),
        "GALLERIA_PORT": str(port),
        **more,
    }


def run(*arguments, environ):
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603 - the program is ours.
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextlib.contextmanager
def serving(environ):
    """Run a server, from its first good answer on; whoever asks earlier waits for it, since the port is open first."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "serve"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if "Galleria answers on" in line:
                    break
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=STOP_SECONDS)


def ask(port, path="/livez"):
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=START_SECONDS)


def assert_refused(done, complaint):
    """One line that says what to do, exit code 2, no traceback."""
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("✓")]
    assert line.startswith("galleria: ")
    assert complaint in line
    assert done.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_a_signal_stops_all_of_it(place, port, number):
    with serving(environment(place, port)) as process:
        assert ask(port, "/readyz").json()["status"] == "ready"
        answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ shop { name } }"}, timeout=30)
        assert answer.json()["data"]["shop"]["name"]
        process.send_signal(number)
        _, errors = process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "Stopped."
    assert state(place / "postgresql" / "cluster") is None, "PostgreSQL still runs, or did not end in order"


def test_a_request_that_runs_at_the_signal_is_answered(place, port):
    body = b'{"query": "{ shop { name } }"}'
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(environment(place, port)) as process, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + body[:10])
        # Connections are taken in order, so that once this one is answered ours is known.
        assert ask(port).status_code == 200
        process.send_signal(signal.SIGTERM)
        wait_until_refused(port)
        connection.sendall(body[10:])
        connection.settimeout(STOP_SECONDS)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
        process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0


def wait_until_refused(port):
    limit = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < limit:
            socket.create_connection(("127.0.0.1", port), timeout=STOP_SECONDS).close()
        pytest.fail("the server still takes connections")


def test_serve_starts_again_after_it_was_killed(place, port):
    with serving(environment(place, port)) as process:
        process.kill()
        process.communicate()
    with serving(environment(place, port)):
        assert ask(port, "/readyz").json()["status"] == "ready"


def test_a_busy_port_is_told_before_anything_is_started(place):
    with free_port() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", environ=environment(place, port))
    assert_refused(done, f"Port {port} is in use: stop what uses it, or set GALLERIA_PORT (make serve PORT=8001)")
    assert not (place / "postgresql").exists()


def test_an_address_of_another_machine_is_told(place, port):
    done = run("serve", environ=environment(place, port, GALLERIA_HOST="192.0.2.1"))
    assert_refused(done, f"Cannot listen on 192.0.2.1 port {port}")


def test_a_second_server_on_the_same_data_is_refused(place, port):
    with serving(environment(place, port)) as process, free_port() as other:
        other_port = other.getsockname()[1]
        other.close()
        done = run("serve", environ=environment(place, other_port))
        assert ask(port).status_code == 200
    assert_refused(done, f"as process {process.pid}: stop it, or use another data folder and port")


def test_a_command_uses_the_database_that_a_server_runs(place, port):
    with serving(environment(place, port)):
        done = run("migrate", environ=environment(place, port))
        assert (done.returncode, done.stdout) == (0, "Migrated to head.\n"), done.stderr
        assert ask(port, "/readyz").json()["status"] == "ready"


def test_a_broken_data_folder_is_told(place, port):
    (place / "postgresql" / "cluster").mkdir(parents=True)
    done = run("serve", environ=environment(place, port))
    assert_refused(done, "does not hold a PostgreSQL database. Move ")


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_an_unreachable_database_is_told_without_its_password(place, port, command):
    with free_port() as closed:
        url = f"postgresql://someone:hunter2@127.0.0.1:{closed.getsockname()[1]}/galleria"
        done = run(command, environ=environment(place, port, DATABASE_URL=url))
    assert_refused(done, "postgresql://********@127.0.0.1:")
    assert "hunter2" not in done.stderr
    assert not (place / "postgresql").exists()


def test_a_database_of_the_operators_own_is_migrated_and_nothing_embedded_is_touched(place, port, postgres):
    urls = {"DATABASE_URL": postgres.app_url, "GALLERIA_OWNER_DATABASE_URL": postgres.owner_url}
    done = run("migrate", environ=environment(place, port, **urls))
    assert (done.returncode, done.stdout) == (0, "Migrated to head.\n"), done.stderr
    assert not (place / "postgresql").exists()


def test_production_serves_metrics_on_a_port_of_their_own(place, port, postgres, tmp_path):
    run("keys", "token", "--as", "staff", "--shop", "demo", environ=environment(tmp_path, port))
    with free_port() as reserved:
        metrics_port = reserved.getsockname()[1]
    production = environment(
        place,
        port,
        GALLERIA_ENVIRONMENT="production",
        DATABASE_URL=postgres.app_url,
        GALLERIA_TOKEN_KEYS=str(tmp_path / "token-keys.json"),
        GALLERIA_TOKEN_ISSUER="https://issuer.example",
        GALLERIA_METRICS_PORT=str(metrics_port),
    )
    with serving(production) as process:
        assert ask(metrics_port, "/metrics").status_code == 200
        assert ask(port, "/metrics").status_code == 404
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0


def test_settings_are_printed_with_secrets_hidden(place, port):
    done = run("settings", environ=environment(place, port, REDIS_URL="redis://:hunter2@cache.example:6379/0"))
    printed = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert printed["GALLERIA_PORT"] == str(port)
    assert printed["GALLERIA_ENVIRONMENT"] == "development"
    assert printed["REDIS_URL"] == "redis://********@cache.example:6379/0"
    assert "hunter2" not in done.stdout


def test_production_says_what_it_lacks(place, port):
    done = run("serve", environ=environment(place, port, GALLERIA_ENVIRONMENT="production"))
    assert_refused(done, "Set DATABASE_URL (PostgreSQL as the application's role), or GALLERIA_ENVIRONMENT=development")


def test_every_command_is_listed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    assert [name for name in COMMANDS if f" {name} " not in listed] == []


def test_an_unknown_command_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["serf"])
    assert ended.value.code == 2
    assert "serf" in capsys.readouterr().err


def test_the_schema_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["schema"])
    assert ended.value.code == 0
    assert "\ntype Query {\n" in capsys.readouterr().out
