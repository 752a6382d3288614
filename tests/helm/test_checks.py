"""Checkov finds nothing in what the chart makes, and the documentation says so."""

import copy

from tests.helm.checks import findings, skips, table
from tests.helm.documents import PAGE, block
from tests.helm.rendering import EXAMPLES, example
from tests.helm.test_pods import GOOD

SKIPPED_CHECKS = 3


def test_checkov_finds_nothing(tmp_path):
    files = {path.stem: example(path).manifests for path in EXAMPLES}
    bad = copy.deepcopy(GOOD)
    bad["spec"]["containers"][0]["securityContext"]["privileged"] = True
    found = findings(tmp_path, {**files, "bad": [bad]})
    # A run that finds nothing in this one has looked at nothing.
    assert any("privileged" in fault for fault in found.pop("bad").failed)
    assert {name: of_file.failed for name, of_file in found.items() if of_file.failed} == {}
    assert all(of_file.passed > 0 for of_file in found.values())
    assert len({skip.check for skip in skips(found)}) <= SKIPPED_CHECKS
    assert [skip for skip in skips(found) if len(skip.reason.split()) < 4] == [], "A skip needs a reason."
    assert block(PAGE.read_text(), "figures") == table(found), "Run: python -m tests.helm"
