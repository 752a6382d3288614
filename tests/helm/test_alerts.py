"""Each alert fires when what it is for happens, and is silent otherwise."""

import copy

from tests.helm.alerts import BROKEN, OK, Case, check, play
from tests.helm.rendering import CHART, example

[RULE] = example(CHART / "ci" / "monitoring.yaml").of_kind("PrometheusRule")
ALERTS = {rule["alert"] for group in RULE["spec"]["groups"] for rule in group["rules"] if "alert" in rule}

REQUESTS, FAILURES = f"galleria_requests_total{{{OK}}}", f"galleria_requests_total{{{BROKEN}}}"
SHED = 'galleria_requests_total{operation="none",status="503",code="OVERLOADED"}'
QUICK = 'galleria_request_duration_seconds_bucket{operation="query",le="0.5"}'
IN_USE = 'galleria_pool_connections{pool="reads",state="in_use"}'

# Of 6,000 requests a minute 99.9 % are promised to be answered well, and 99 % in time.
CASES = [
    Case("all is well", {}, 60, frozenset()),
    Case("a few fail, as may be", {FAILURES: "0+5x200"}, 60, frozenset()),
    Case("one in a hundred fails", {FAILURES: "0+60x200"}, 60, frozenset({"GalleriaErrorsBurnSlow"})),
    Case("one in a hundred is turned away", {SHED: "0+60x200"}, 60, frozenset({"GalleriaErrorsBurnSlow"})),
    Case(
        "one in ten fails",
        {FAILURES: "0+600x200"},
        60,
        frozenset({"GalleriaErrorsBurnFast", "GalleriaErrorsBurnSlow"}),
    ),
    Case("one in ten failed, an hour ago", {FAILURES: "0+600x60 36000x140"}, 150, frozenset()),
    Case("one in a hundred is slow, as may be", {QUICK: "0+5940x200"}, 60, frozenset()),
    Case(
        "one in ten is slow",
        {QUICK: "0+5400x200"},
        60,
        frozenset({"GalleriaLatencyBurnSlow"}),
    ),
    Case(
        "one in four is slow",
        {QUICK: "0+4500x200"},
        60,
        frozenset({"GalleriaLatencyBurnFast", "GalleriaLatencyBurnSlow"}),
    ),
    Case("nobody is heard of", {"galleria_requests_in_flight{}": ""}, 4, frozenset()),
    Case("nobody is heard of for long", {"galleria_requests_in_flight{}": ""}, 20, frozenset({"GalleriaAway"})),
    Case("a pod is silent", {"up{}": "1x10 0x200"}, 20, frozenset({"GalleriaPodSilent"})),
    Case("a pod was silent", {"up{}": "1x10 0x4 1x200"}, 20, frozenset()),
    Case("a pod is not ready", {"galleria_ready{}": "1x10 0x200"}, 20, frozenset({"GalleriaUnready"})),
    Case("Redis is away", {"galleria_degraded{}": "1x200"}, 20, frozenset({"GalleriaDegraded"})),
    Case("Redis was away", {"galleria_degraded{}": "1x9 0x200"}, 20, frozenset()),
    Case("budgets fail", {"galleria_budget_errors_total{}": "0+1x200"}, 20, frozenset({"GalleriaBudgetOutage"})),
    Case("no relay", {"galleria_outbox_lag_seconds{}": ""}, 20, frozenset({"GalleriaRelayAway"})),
    Case("events wait", {"galleria_outbox_lag_seconds{}": "0+20x200"}, 20, frozenset({"GalleriaOutboxLag"})),
    Case("no connection is left", {IN_USE: "9x200"}, 20, frozenset({"GalleriaPoolExhausted"})),
    Case("few connections are left", {IN_USE: "8x200"}, 20, frozenset()),
    Case("something is masked", {"galleria_masked_errors_total{}": "0+1x200"}, 20, frozenset({"GalleriaMaskedErrors"})),
]


def test_every_alert_has_a_case():
    assert {name for case in CASES for name in case.firing} == ALERTS


def test_the_rules_can_be_read(promtool, tmp_path):
    checked = check(promtool, RULE, tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    wrong = copy.deepcopy(RULE)
    wrong["spec"]["groups"][0]["rules"][0]["expr"] = "sum by (galleria_ready"
    assert check(promtool, wrong, tmp_path).returncode != 0


def test_every_alert_fires_in_its_case_alone(promtool, tmp_path):
    played = play(promtool, RULE, tmp_path, CASES)
    assert played.returncode == 0, played.stdout + played.stderr
    told = play(promtool, RULE, tmp_path, [Case("all is well", {}, 60, frozenset({"GalleriaUnready"}))])
    assert told.returncode != 0
