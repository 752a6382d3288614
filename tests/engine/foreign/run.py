"""Puts graphql-core's own tests of execution through the engine: `python tests/engine/foreign/run.py`.

The tests come with the source distribution of the installed version; they and the plugins that they need are fetched by
pip into a temporary folder. What is expected to fail is named in `EXPECTED`, each with the reason.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PLUGINS = ("pytest-describe", "pytest-timeout", "pytest-benchmark")
SUITES = (
    "tests/execution",
    "tests/test_star_wars_query.py",
    "tests/test_star_wars_introspection.py",
    "tests/test_user_registry.py",
)

FORMS = ("both", "plain", "awaited")
"""In which forms results come back (see `routed.py`); a test passes if it does so with one of them."""

ORDER = "errors come in the order of the document, not in that of their occurrence"
SIBLINGS = "of several errors that null one position the first in the document is told"
WAITS = "siblings of what nulls their parent are waited for, not cancelled"
RAISED = "an iterator that has raised is not asked again"
SYNC = "the engine answers within a running loop and has no answers at once"
EXPERIMENTAL = "a schema that declares @defer is served; operations that use it are not"

EXPECTED = {
    "stops_late_sibling_object_completion_after_non_null_bubbling": WAITS,
    "suppresses_sibling_errors_after_a_non_null_error_bubbles": WAITS,
    "handles_sync_errors_combined_with_async_ones": WAITS,
    "handles_sync_errors_combined_with_async_ones_in_async_context": WAITS,
    "cancel_async_iterators": WAITS,
    "cancel_lists": WAITS,
    "cancel_selection_sets": WAITS,
    "handles_mixture_of_sync_and_async_errors_in_async_iterables": SIBLINGS,
    "handles_sync_errors_with_later_pending_awaitables": SIBLINGS,
    "nullable_and_non_nullable_nested_fields_throw_nested_errors": SIBLINGS,
    "nullable_and_non_nullable_root_fields_throw_nested_errors": SIBLINGS,
    "slower_nullable_after_non_nullable_nested_field": SIBLINGS,
    "slower_nullable_after_non_nullable_root_field": SIBLINGS,
    "describe_nulls_a_complex_tree_of_nullable_fields_each::throws": ORDER,
    "drains_the_iterator_when_next_throws": RAISED,
    "handles_iterator_errors_with_later_pending_awaitables": RAISED,
    "iterates_sync_and_async_iterables_synchronously_without_check_sync": SYNC,
    "reports_async_iterables_as_errors_without_check_sync": SYNC,
    "throws_if_encountering_async_iterable_execution_without_check_sync": SYNC,
    "throws_if_encountering_async_operation_without_check_sync": SYNC,
    "errors_when_using_original_execute_with_schemas_including_experimental_defer": EXPERIMENTAL,
    "errors_when_using_original_execute_with_schemas_including_experimental_stream": EXPERIMENTAL,
}
"""Tests that fail, by the ends of their names, and why that is right."""


def main() -> int:
    """Run the tests; return 0 if those and only those fail that are expected to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = _fetch(folder)
        outputs = [_run(sources, folder / "plugins", form) for form in FORMS]
    return _judge(outputs)


def _fetch(folder: Path) -> Path:
    """Fetch the tests and the plugins; return the folder of the tests."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wanted = f"graphql-core=={version('graphql-core')}"
    download = [*pip, "download", "--no-deps", "--no-binary", "graphql-core", "--dest", str(folder), wanted]
    subprocess.run(download, check=True)  # noqa: S603  (our own command)
    install = [*pip, "install", "--no-deps", "--target", str(folder / "plugins"), *PLUGINS, "py-cpuinfo"]
    subprocess.run(install, check=True)  # noqa: S603  (our own command)
    [archive] = folder.glob("graphql_core-*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def _run(sources: Path, plugins: Path, form: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "routed",
        "-p",
        "no:cacheprovider",
        "-rf",
        "--timeout=20",
        "--tb=no",
        *SUITES,
    ]
    environment = {"PYTHONPATH": f"{HERE}:{ROOT}:{plugins}", "PATH": "/usr/bin:/bin", "ROUTED_FORM": form}
    done = subprocess.run(  # noqa: S603  (our own command)
        command, cwd=sources, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def _judge(outputs: list[str]) -> int:
    failures = [set(re.findall(r"^FAILED (\S+)", output, re.MULTILINE)) for output in outputs]
    failed = set.intersection(*failures)
    for output in outputs:
        print(" ".join(output.splitlines()[-1:]))  # noqa: T201  (a script)
    print(re.findall(r"^\d+ executions by .*$", outputs[0], re.MULTILINE))  # noqa: T201  (a script)
    surprises = sorted(test for test in failed if not any(test.endswith(f"::{name}") for name in EXPECTED))
    missing = sorted(name for name in EXPECTED if not any(test.endswith(f"::{name}") for test in failed))
    for test in surprises:
        print(f"FAILED {test}")  # noqa: T201  (a script)
    for name in missing:
        print(f"passes and was not expected to: {name}")  # noqa: T201  (a script)
    ran = all(re.search(r"\d+ passed", output) for output in outputs)
    return 0 if ran and not surprises and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
