"""What docs/production.md says of other files."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_alerts_that_are_named_are_in_the_chart_and_of_that_metric():
    rules = (ROOT / "helm/galleria/templates/prometheusrule.yaml").read_text()
    rows = [
        (re.findall(r"`(galleria_\w+)`", metrics), re.findall(r"`(Galleria\w+)`", alerts))
        for metrics, alerts in re.findall(
            r"^\| (`galleria_.*?) \|.*\|(.*)\|$", (ROOT / "docs/production.md").read_text(), re.MULTILINE
        )
    ]
    named = [alert for _, alerts in rows for alert in alerts]
    assert len(named) == 9
    assert [alert for alert in named if f'"{alert}"' not in rules] == []
    # Those of objectives are of recorded rules.
    for metrics, alerts in rows:
        for alert in set(alerts) - {"GalleriaErrorsBurn", "GalleriaLatencyBurn"}:
            [rule] = re.findall(rf'"{alert}".*?nindent', rules, re.DOTALL)
            assert any(metric in rule for metric in metrics), alert
