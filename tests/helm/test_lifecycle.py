"""What Helm does to a cluster over the life of a release, as seen by a stub of the Kubernetes API."""

import base64

import pytest
from helm_python import HelmError

from tests.helm.cluster import Cluster
from tests.helm.documents import PAGE, block
from tests.helm.lifecycle import MIGRATIONS, OPTIONS, TEST, life, opened, operate, tagged, trace
from tests.helm.rendering import CHART, RELEASE, chart, values_of

API = f"Deployment/{RELEASE}-galleria"


def writes(step, title):
    """Return the positions of the calls that write an object."""
    return [position for position, call in enumerate(step.calls) if call.partition(" ")[2] == title]


def test_a_release_lives():
    cluster = Cluster()
    steps = list(life(cluster))
    install, tested, upgrade, failed, untested, retry, rollback, uninstall = steps

    for step in (install, upgrade, retry):
        assert step.failure == ""
        # The schema is there before anything that needs it.
        assert max(writes(step, f"Job/{MIGRATIONS}")) < min(writes(step, API))
    assert tested.failure == ""
    assert tested.calls[-1] == f"create Pod/{TEST}"

    assert "pre-upgrade hooks failed" in failed.failure
    assert writes(failed, f"Job/{MIGRATIONS}")
    # What runs goes on running, untouched.
    assert {call.partition(" ")[2].partition("-migrations")[0] for call in failed.calls} <= {
        f"{kind}/{RELEASE}-galleria" for kind in ("ConfigMap", "Job", "NetworkPolicy", "Secret", "ServiceAccount")
    }
    assert all(f"{RELEASE}-galleria-migrations" in call for call in failed.calls)
    assert failed.deployment == upgrade.deployment
    assert TEST in untested.failure
    assert retry.deployment != upgrade.deployment

    # Helm runs no migrations on the way back: an old release has to live with the schema of the new one.
    assert rollback.failure == ""
    assert writes(rollback, f"Job/{MIGRATIONS}") == []
    assert writes(rollback, API)
    assert uninstall.failure == ""
    # Hooks belong to no release, and stay.
    assert [title for title in cluster.titles() if MIGRATIONS not in title and TEST not in title] == []
    assert block(PAGE.read_text(), "lifecycle") == f"```text\n{trace(steps)}```\n", "Run: python -m tests.helm"


def test_an_older_kubernetes_is_refused():
    values = values_of(CHART / "ci" / "minimal.yaml")
    with opened(Cluster(version="1.29")) as helm, pytest.raises(HelmError, match=r"requires kubeVersion: >=1\.30"):
        helm.install(chart(), RELEASE, values)


def test_a_password_made_by_chance_is_kept():
    """A new one at each upgrade would shut out the pods that still run with the old one."""
    cluster, values = Cluster(), values_of(CHART / "ci" / "cloudnativepg.yaml")
    with opened(cluster) as helm:
        helm.install(chart(), RELEASE, values, **OPTIONS)
        operate(cluster)
        before = cluster.get("Secret", f"{RELEASE}-galleria-postgresql-application")
        helm.upgrade(chart(), RELEASE, tagged(values, "2"), **OPTIONS)
    after = cluster.get("Secret", f"{RELEASE}-galleria-postgresql-application")
    assert len(base64.b64decode(before["data"]["password"])) >= 24
    assert after["data"] == before["data"]
    assert after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
