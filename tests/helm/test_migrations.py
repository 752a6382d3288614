"""The job that migrates has what it needs for as long as it runs, and waits for a database that is yet to come."""

import pytest
from helm_python import HelmError
from typer.testing import CliRunner

from server.cli import application
from tests.helm.cluster import Cluster
from tests.helm.lifecycle import OPTIONS, opened, operate, tagged
from tests.helm.rendering import CHART, RELEASE, chart, example, render, title_of, values_of
from tests.helm.test_secrets import BY_VALUE, with_value

HELM_SECONDS = 300
"""What Helm waits for a hook when it is told nothing else."""

CLOUD = values_of(CHART / "ci" / "cloudnativepg.yaml")
NEEDED = sorted(
    f"{kind}/{RELEASE}-galleria-migrations{suffix}"
    for kind, suffix in (("ConfigMap", ""), ("NetworkPolicy", ""), ("Secret", "-secrets"), ("ServiceAccount", ""))
)


def job_of(rendered):
    [job] = rendered.of_kind("Job")
    return job["spec"]


def argument(job, name):
    args = job["template"]["spec"]["containers"][0]["args"]
    return args[args.index(name) + 1]


def test_what_the_job_needs_stays_for_as_long_as_it_may_run():
    """Helm that has waited long enough deletes what has a policy to be deleted, while the job runs on."""
    hooks = {
        title_of(manifest): manifest["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
        for manifest in render(BY_VALUE).manifests
        if "upgrade" in manifest["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    }
    assert hooks.keys() >= set(NEEDED)
    assert set(hooks.values()) == {"before-hook-creation"}


def test_what_a_job_needs_is_there_after_one_that_failed():
    cluster = Cluster(failing={f"{RELEASE}-galleria-migrations"})
    with opened(cluster) as helm, pytest.raises(HelmError, match="failed pre-install"):
        helm.install(chart(), RELEASE, BY_VALUE, **OPTIONS)
    assert [title for title in cluster.titles() if title in NEEDED] == NEEDED


def test_the_job_ends_before_helm_gives_up():
    job = job_of(example(CHART / "ci" / "production.yaml"))
    assert int(argument(job, "--wait")) < job["activeDeadlineSeconds"] < HELM_SECONDS


@pytest.mark.parametrize(("seconds", "timeout"), [(280, None), (281, "6m"), (900, "16m"), (3600, "61m")])
def test_a_longer_job_is_said_to_take_a_longer_timeout(seconds, timeout):
    notes = render(with_value("migrations.deadlineSeconds", seconds)).notes
    assert ("--timeout" in notes) == (timeout is not None)
    assert timeout is None or f"--timeout {timeout}`" in notes


@pytest.mark.parametrize("seconds", [10, 60, 280, 86_400])
def test_some_time_is_left_after_the_wait(seconds):
    waited = int(argument(job_of(render(with_value("migrations.deadlineSeconds", seconds))), "--wait"))
    assert waited >= seconds / 2
    assert seconds - waited >= min(60, seconds / 2)


def test_a_database_that_is_made_by_the_same_installation_has_its_time():
    job = job_of(render(CLOUD))
    assert job["activeDeadlineSeconds"] >= 1800
    assert int(argument(job, "--wait")) >= 1500


def test_the_server_takes_the_arguments():
    args = job_of(render(CLOUD))["template"]["spec"]["containers"][0]["args"]
    done = CliRunner().invoke(application(args), [*args, "--help"])
    assert done.exit_code == 0, done.output
    assert args[1] in done.output


def test_a_release_cannot_be_moved_to_a_database_that_is_not_there():
    """Its migrations, which come first, would wait for a Secret that the operator makes of what comes after."""
    cluster = Cluster()
    with opened(cluster) as helm:
        helm.install(chart(), RELEASE, values_of(CHART / "ci" / "monitoring.yaml"), **OPTIONS)
        calls = len(cluster.calls)
        with pytest.raises(HelmError, match=r"Set migrations\.enabled to false for this upgrade"):
            helm.upgrade(chart(), RELEASE, CLOUD, **OPTIONS)
        assert cluster.calls[calls:] == []
        helm.upgrade(chart(), RELEASE, {**CLOUD, "migrations": {"enabled": False}}, **OPTIONS)
        assert f"Cluster/{RELEASE}-galleria-postgresql" in cluster.titles()
        operate(cluster)
        helm.upgrade(chart(), RELEASE, tagged(CLOUD, "2"), **OPTIONS)
    assert f"create Job/{RELEASE}-galleria-migrations" in cluster.calls[calls:]
