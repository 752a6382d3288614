"""Lets promtool play series to the chart's rules, and asks which alerts fire."""

import dataclasses
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.helm.rendering import NAMESPACE, RELEASE, Manifest

TARGET = f'namespace="{NAMESPACE}",app_kubernetes_io_instance="{RELEASE}",app_kubernetes_io_component="api",pod="api-1"'

OK, BROKEN = 'operation="query",status="200",code="none"', 'operation="mutation",status="200",code="INTERNAL"'
WELL: Mapping[str, str] = {
    f"galleria_requests_total{{{OK}}}": "0+6000x200",
    f"galleria_requests_total{{{BROKEN}}}": "0x200",
    'galleria_requests_total{operation="none",status="503",code="OVERLOADED"}': "0x200",
    'galleria_request_duration_seconds_bucket{operation="query",le="0.5"}': "0+6000x200",
    'galleria_request_duration_seconds_bucket{operation="query",le="1.0"}': "0+6000x200",
    'galleria_request_duration_seconds_bucket{operation="query",le="+Inf"}': "0+6000x200",
    'galleria_request_duration_seconds_count{operation="query"}': "0+6000x200",
    'galleria_request_duration_seconds_count{operation="subscription"}': "0+6000x200",
    "galleria_requests_in_flight{}": "3x200",
    "up{}": "1x200",
    "galleria_ready{}": "1x200",
    "galleria_degraded{}": "0x200",
    "galleria_budget_errors_total{}": "0x200",
    "galleria_outbox_lag_seconds{}": "0x200",
    'galleria_pool_connections{pool="reads",state="in_use"}': "4x200",
    'galleria_pool_connections{pool="reads",state="at_most"}': "10x200",
    "galleria_masked_errors_total{}": "0x200",
}
"""Three hours of a release that does well, a value each minute: a hundred quick requests a second."""


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """Something that happens, and what has to be told of it.

    Attributes:
        title: What happens.
        series: What is other than well; an empty series is not there at all.
        minute: When alerts are looked at.
        firing: Which fire then, and no others do.
    """

    title: str
    series: Mapping[str, str]
    minute: int
    firing: frozenset[str]


def check(promtool: str, rule: Manifest, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have the rules read."""
    _write(rule, folder)
    return _run(promtool, folder, "check", "rules", "rules.yaml")


def play(promtool: str, rule: Manifest, folder: Path, cases: Sequence[Case]) -> subprocess.CompletedProcess[str]:
    """Have the rules play through cases."""
    _write(rule, folder)
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [_test(case) for case in cases]}
    (folder / "cases.yaml").write_text(yaml.safe_dump(tests))
    return _run(promtool, folder, "test", "rules", "cases.yaml")


def _test(case: Case) -> dict[str, Any]:
    values = {name: value for name, value in {**WELL, **case.series}.items() if value}
    firing = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(case.firing)]
    return {
        "name": case.title,
        "interval": "1m",
        "input_series": [{"series": _of_target(name), "values": value} for name, value in values.items()],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{case.minute}m",
                "exp_samples": firing,
            }
        ],
    }


def _of_target(series: str) -> str:
    """Say of a series where it was read."""
    name, _, labels = series.rstrip("}").partition("{")
    return f"{name}{{{','.join(filter(None, [TARGET, labels]))}}}"


def _write(rule: Manifest, folder: Path) -> None:
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rule["spec"]["groups"]}))


def _run(promtool: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
