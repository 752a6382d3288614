"""Fills what the tests find out into the documentation of the chart: `python -m tests.helm`."""

import tempfile
from pathlib import Path

from tests.helm.checks import findings, table
from tests.helm.cluster import Cluster
from tests.helm.documents import PAGE, filled
from tests.helm.lifecycle import life, trace
from tests.helm.rendering import EXAMPLES, example

with tempfile.TemporaryDirectory() as folder:
    found = findings(Path(folder), {path.stem: example(path).manifests for path in EXAMPLES})
page = filled(PAGE.read_text(), "figures", table(found))
page = filled(page, "lifecycle", f"```text\n{trace(list(life(Cluster())))}```\n")
PAGE.write_text(page)
