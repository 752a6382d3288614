"""What goes into the image: everything that runs, and nothing else."""

import shutil
import tomllib

import pytest

from tests.image.context import ROOT, admitted, instructions, lay_out

LEFT_OUT = {
    # For people and tools; the server prints the schema itself.
    "schema/schema.graphql",
    # Compares the bundle with the one in the repository.
    "server/graphiql/check.mjs",
}
"""What lies beside the program and does not belong into the image."""

NOT_OURS = {"__pycache__", "node_modules", "dist"}

SECRET_OR_IDLE = [
    ".env",
    ".git/config",
    ".data/token-keys.json",
    ".venv/lib/python3.11/site-packages/six.py",
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "bench/__main__.py",
    "core/.env",
    "core/server.pem",
    "core/__pycache__/money.cpython-311.pyc",
    "docs/image.md",
    "helm/galleria/values.yaml",
    "core/id_ed25519",
    "id_ed25519",
    "migrations/dump.sql",
    "models/.env.production",
    "pyproject.toml",
    "requirements/development.txt",
    "secrets/database-url",
    "server.key",
    "server/credentials.json",
    "server/graphiql/.npmrc.local",
    "server/graphiql/dist/main.js.gz",
    "server/graphiql/node_modules/react/index.js",
    "server/graphiql/node_modules/react/index.mjs",
    "server/token-keys.json",
    "tests/conftest.py",
    "tests/image/context.py",
]


@pytest.fixture(scope="module")
def layers():
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {*configuration["tool"]["importlinter"]["root_packages"], "migrations"}


def test_every_folder_that_runs_is_copied(layers):
    copied = {each.arguments[-1] for each in instructions() if (each.stage, each.keyword) == ("build", "COPY")}
    assert {place for place in copied if "/" not in place} == layers


def test_every_file_beside_the_program_is_admitted_or_left_out_on_purpose(layers):
    ours = {
        path.relative_to(ROOT).as_posix()
        for layer in layers
        for path in (ROOT / layer).rglob("*")
        if path.is_file() and NOT_OURS.isdisjoint(path.parts)
    }
    assert ours - admitted() == LEFT_OUT


def test_nothing_is_admitted_that_is_not_copied(layers):
    rest = {path for path in admitted() if path.partition("/")[0] not in layers}
    assert rest == {"LICENSE", "alembic.ini", "requirements/runtime.txt"}


@pytest.mark.parametrize("path", SECRET_OR_IDLE)
def test_what_is_secret_or_idle_stays_out(tmp_path, path):
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    for made in (path, "core/money.py"):
        (tmp_path / made).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made).touch()
    assert admitted(tmp_path) == {"core/money.py"}


def test_the_image_holds_the_bundle_of_graphiql_and_not_its_sources(tmp_path):
    lay_out(tmp_path / "tree")
    graphiql = tmp_path / "tree" / "server" / "graphiql"
    assert {path.name for path in graphiql.iterdir()} == {"__init__.py", "dist", "examples.json"}
    assert (graphiql / "dist" / "main.js.gz").is_file()
