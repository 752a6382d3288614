"""What Helm does to a cluster over the life of a release, as seen by a stub of the Kubernetes API."""

import base64

import pytest
from helm_python import HelmError

from tests.helm.cluster import Cluster
from tests.helm.documents import PAGE, block
from tests.helm.lifecycle import MIGRATIONS, OPTIONS, TEST, life, opened, operate, tagged, trace
from tests.helm.rendering import CHART, RELEASE, chart, values_of
from tests.helm.test_secrets import BY_VALUE, with_value

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


def test_a_secret_that_changes_reaches_pods_and_migrations():
    """Both are there before who reads them, and what is in force after a rollback is what was before."""
    cluster = Cluster()
    changed = with_value("secrets.ownerDatabaseUrl.value", "postgresql://owner:two@database:5432/galleria", BY_VALUE)
    changed = with_value("secrets.redisUrl.value", "redis://:two@cache:6379/0", changed)
    with opened(cluster) as helm:

        def state():
            template = cluster.get("Deployment", f"{RELEASE}-galleria")["spec"]["template"]
            data = cluster.get("Secret", f"{RELEASE}-galleria-secrets")["data"]
            return template["metadata"]["annotations"]["checksum/secrets"], data["redis-url"]

        def migrates_as():
            secret = cluster.get("Secret", f"{RELEASE}-galleria-migrations-secrets")["data"]["owner-database-url"]
            return base64.b64decode(secret).decode()

        helm.install(chart(), RELEASE, BY_VALUE, **OPTIONS)
        before = state()
        assert "owner:one@" in migrates_as()
        start = len(cluster.calls)
        helm.upgrade(chart(), RELEASE, changed, **OPTIONS)
        calls = cluster.calls[start:]
        assert calls.index(f"create Secret/{MIGRATIONS}-secrets") < calls.index(f"create Job/{MIGRATIONS}")
        assert "owner:two@" in migrates_as()
        assert all(one != other for one, other in zip(before, state(), strict=True))
        after = state()
        helm.rollback(RELEASE, version=1, **OPTIONS)
        assert state() == before
        helm.upgrade(chart(), RELEASE, changed, **OPTIONS)
        assert state() == after
    # An upgrade after a rollback migrates again, though the schema is there already.
    assert [*filter(lambda call: call == f"create Job/{MIGRATIONS}", cluster.calls)] == [f"create Job/{MIGRATIONS}"] * 3


def test_a_canary_comes_and_goes():
    """Its image migrates; the release's own does, too, once it is gone."""
    cluster, values = Cluster(), {**values_of(CHART / "ci" / "gateway.yaml"), "certificate": {"enabled": False}}

    def migrated_by():
        return cluster.get("Job", MIGRATIONS)["spec"]["template"]["spec"]["containers"][0]["image"]

    with opened(cluster) as helm:
        helm.install(chart(), RELEASE, tagged(values, "1"), **OPTIONS)
        stable = cluster.get("Deployment", f"{RELEASE}-galleria")["spec"]
        before = cluster.titles()
        with_canary = {**tagged(values, "1"), "canary": {"enabled": True, "image": {"tag": "2"}}}
        helm.upgrade(chart(), RELEASE, with_canary, **OPTIONS)
        assert migrated_by().endswith(":2")
        assert f"{API}-canary" in cluster.titles()
        assert cluster.get("Deployment", f"{RELEASE}-galleria")["spec"] == stable
        helm.upgrade(chart(), RELEASE, tagged(values, "1"), **OPTIONS)
        assert migrated_by().endswith(":1")
    assert cluster.titles() == before
    assert cluster.get("Deployment", f"{RELEASE}-galleria")["spec"] == stable


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
