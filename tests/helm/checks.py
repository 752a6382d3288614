"""Runs checkov over rendered objects, and puts what it and the Pod Security Standard find beside other charts."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.helm.pods import violations
from tests.helm.rendering import EXAMPLES, Manifest, example

PROGRAM = Path(sys.prefix) / "checkov" / "bin" / "checkov"
OPTIONS = "--framework kubernetes --compact --skip-download --output json".split()

OTHERS = {
    "argo-cd": (90.6, 0),
    "authentik": (81.8, 8),
    "Hasura": (80.4, 4),
    "Saleor (community)": (82.1, 22),
}
"""Checks of checkov passed, in percent, and violations of the restricted standard, as found when ours was designed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Skip:
    """A check that an object asks not to be made."""

    check: str
    resource: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Findings:
    """What checkov found in a file.

    Attributes:
        passed: How many checks found nothing.
        failed: Check and object of those that found something.
        skipped: What was not checked.
    """

    passed: int
    failed: tuple[str, ...]
    skipped: tuple[Skip, ...]

    @property
    def percent(self) -> float:
        """The share of checks that found nothing, those that were skipped left out."""
        return 100 * self.passed / (self.passed + len(self.failed))


def findings(folder: Path, files: Mapping[str, Sequence[Manifest]]) -> dict[str, Findings]:
    """Check files of objects, in one run since starting takes longest.

    Args:
        folder: Where they may be written to.
        files: Objects, by the name of the file they are to be in.
    """
    if not PROGRAM.exists():
        raise RuntimeError("There is no checkov: run `make test`, which installs it beside the other requirements.")
    for name, manifests in files.items():
        # JSON is YAML too, and written faster.
        (folder / f"{name}.yaml").write_text("\n---\n".join(json.dumps(manifest, indent=1) for manifest in manifests))
    command = [str(PROGRAM), "--directory", str(folder), *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    results = json.loads(done.stdout)["results"]
    assert results["parsing_errors"] == []
    return {name: _of_file(results, f"/{name}.yaml") for name in files}


def _of_file(results: Mapping[str, Any], path: str) -> Findings:
    found = {
        outcome: [check for check in results[f"{outcome}_checks"] if check["file_path"] == path]
        for outcome in ("passed", "failed", "skipped")
    }
    return Findings(
        passed=len(found["passed"]),
        failed=tuple(f"{check['check_id']} {check['resource']}: {check['check_name']}" for check in found["failed"]),
        skipped=tuple(
            Skip(check["check_id"], check["resource"], check["check_result"]["suppress_comment"])
            for check in found["skipped"]
        ),
    )


def skips(found: Mapping[str, Findings]) -> list[Skip]:
    """Return what was skipped anywhere, once."""
    return sorted({skip for of_file in found.values() for skip in of_file.skipped}, key=dataclasses.astuple)


def table(found: Mapping[str, Findings]) -> str:
    """Write our figures beside those of others.

    Args:
        found: What checkov found, by example.
    """
    lines = ["| chart | checks of checkov passed | violations of `restricted` |", "|---|---:|---:|"]
    for path in EXAMPLES:
        of_pods = sum(len(violations(manifest)) for manifest in example(path).manifests)
        lines.append(f"| Galleria, `ci/{path.name}` | {found[path.stem].percent:.1f} % | {of_pods} |")
    lines += [f"| {name} | {percent} % | {of_pods} |" for name, (percent, of_pods) in OTHERS.items()]
    lines += [
        "",
        "The figures of the others are those of the day when ours was designed. Skipped, and not counted:",
        "",
    ]
    lines += [f"- {skip.check} at {skip.resource.rpartition('.')[2]}: {skip.reason}." for skip in skips(found)]
    return "\n".join(lines) + "\n"
