"""The rules that hold the folders together: who is under the contracts, what is ours, how long things get."""

import ast
import importlib.metadata
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OUTSIDE = {"migrations", "tests", "bench", "helm"}
"""Folders that nothing imports: they are run, not built upon."""

LAYERS = ("server", "schema", "resolvers", "loaders", "models", "core", "engine")
FILE_BUDGET_LINES, FILE_LIMIT_LINES, TEST_LIMIT_LINES = 300, 400, 500
FUNCTION_BUDGET_LINES, FUNCTION_LIMIT_LINES = 40, 60
"""What is beyond its budget is reported; what is beyond its limit fails."""


@pytest.fixture(scope="module")
def configuration():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def sources():
    """Every Python file that is ours, installed or generated ones left out."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    found = [path for folder in sorted(folders) for path in sorted(folder.rglob("*.py"))]
    return [path for path in found if "node_modules" not in path.parts]


def layers_of(sources):
    return {path.relative_to(ROOT).parts[0] for path in sources} - OUTSIDE


def test_every_folder_is_under_the_contracts(configuration, sources):
    checked = set(configuration["tool"]["importlinter"]["root_packages"])
    assert layers_of(sources) == checked
    [order] = [
        contract["layers"]
        for contract in configuration["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    named = {name.strip() for layer in order for name in layer.split("|")}
    assert named | {"engine"} == checked


def test_every_folder_is_typed_and_covered(configuration, sources):
    assert set(configuration["tool"]["mypy"]["packages"]) == layers_of(sources)
    assert set(configuration["tool"]["coverage"]["run"]["source"]) == layers_of(sources)


def test_every_contract_covers_every_layer_it_speaks_of(configuration):
    """A contract that forbids something to layers must name each layer, or new ones slip through."""
    contracts = {contract["name"]: contract for contract in configuration["tool"]["importlinter"]["contracts"]}
    assert set(contracts["no cycles among siblings"]["ancestors"]) >= set(LAYERS) - {"server"}
    assert set(contracts["settings are read by the server alone"]["source_modules"]) >= set(LAYERS) - {"server", "core"}


def test_no_distribution_installs_a_module_of_our_name(sources):
    """The folders are imported by bare names, so an installed `schema` would be found in place of ours, or hide it."""
    ours = layers_of(sources) | OUTSIDE
    installed = importlib.metadata.packages_distributions()
    assert {name: installed[name] for name in ours & installed.keys()} == {}


def assert_within(lengths, *, budget, limit):
    """Report what is beyond its budget, fail for what is beyond its limit."""
    long = sorted(((length, name) for name, length in lengths.items() if length > budget), reverse=True)
    if long:
        warnings.warn(f"beyond {budget} lines: {long}", stacklevel=2)
    assert [name for length, name in long if length > limit] == []


@pytest.mark.filterwarnings("default")
def test_files_keep_their_budget(sources):
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in sources}
    ours = {str(path): length for path, length in lengths.items() if path.parts[0] not in OUTSIDE}
    assert_within(ours, budget=FILE_BUDGET_LINES, limit=FILE_LIMIT_LINES)
    tests = {str(path): length for path, length in lengths.items() if path.parts[0] == "tests"}
    assert_within(tests, budget=FILE_LIMIT_LINES, limit=TEST_LIMIT_LINES)


@pytest.mark.filterwarnings("default")
def test_functions_keep_their_budget(sources):
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": function.end_lineno - function.lineno + 1
        for path in sources
        if layers_of([path])
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert_within(lengths, budget=FUNCTION_BUDGET_LINES, limit=FUNCTION_LIMIT_LINES)
