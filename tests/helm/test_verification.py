"""The command of `helm test`, as the chart renders it, is run against a real server: it passes, and can fail."""

import asyncio
import copy
import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.helm.rendering import CHART, render, values_of
from tests.server.test_verify import answering, token

ROOT = Path(__file__).parents[2]
SERVICE = "http://shop-galleria.commerce.svc:80"


def rendered(shop):
    """Render the chart as somebody would who has a shop to try."""
    values = copy.deepcopy(values_of(CHART / "ci" / "production.yaml"))
    values["verify"] = {"shop": shop.slug, "token": {"existingSecret": "verifier", "key": "jwt"}}
    return render(values)


def verifier_of(release):
    """Return the pod of `helm test`."""
    [pod] = [pod for pod in release.of_kind("Pod") if pod["metadata"]["annotations"]["helm.sh/hook"] == "test"]
    return copy.deepcopy(pod["spec"])


async def run(pod, url, secret, folder):
    """Run what a pod runs as the image would, with its Service at an address and its Secret in a folder."""
    [container] = pod["containers"]
    assert "command" not in container
    arguments = [argument.replace(SERVICE, url) for argument in container["args"]]
    assert arguments != container["args"]
    mounts = {mount["name"]: PurePosixPath(mount["mountPath"]) for mount in container["volumeMounts"]}
    files = {}
    for volume in (volume for volume in pod["volumes"] if "secret" in volume):
        assert volume["secret"]["secretName"] == "verifier"
        for item in volume["secret"]["items"]:
            (folder / item["path"]).write_text(secret[item["key"]])
            files[str(mounts[volume["name"]] / item["path"])] = str(folder / item["path"])
    given = {variable["name"]: files.get(variable["value"], variable["value"]) for variable in container["env"]}
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "COVERAGE_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *arguments),
        cwd=ROOT,
        env=kept | given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    return process.returncode, printed.decode(), errors.decode()


@pytest.fixture
def verifier(shop):
    return verifier_of(rendered(shop))


async def test_it_passes_at_a_server_that_works(verifier, base_url, settings, shop, tmp_path):
    code, printed, errors = await run(verifier, base_url, {"jwt": token(settings, shop)}, tmp_path)
    assert (code, errors) == (0, "")
    # A query, a mutation twice and a subscription.
    assert len(printed.splitlines()) >= 4


async def test_it_fails_at_a_server_that_does_not_know_the_token(verifier, base_url, tmp_path):
    code, _, errors = await run(verifier, base_url, {"jwt": "nobody"}, tmp_path)
    assert code == 1
    assert errors.startswith("galleria: ")


async def test_it_fails_at_a_server_that_answers_something_else(verifier, settings, shop, tmp_path):
    async with answering(200, {"data": {}}) as address:
        code, _, errors = await run(verifier, address, {"jwt": token(settings, shop)}, tmp_path)
    assert code == 1
    assert errors.startswith("galleria: ")


async def test_it_fails_where_nobody_answers(verifier, tmp_path):
    arguments = verifier["containers"][0]["args"]
    arguments[arguments.index("--seconds") + 1] = "2"
    code, _, errors = await run(verifier, "http://127.0.0.1:1", {"jwt": "nobody"}, tmp_path)
    assert code == 1
    assert errors.startswith("galleria: ")


def test_its_address_is_that_of_the_service(shop):
    release = rendered(shop)
    [service] = [each for each in release.of_kind("Service") if each["metadata"]["name"] == "shop-galleria"]
    [port] = [port for port in service["spec"]["ports"] if port["name"] == "http"]
    assert SERVICE in verifier_of(release)["containers"][0]["args"]
    assert f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc:{port['port']}" == SERVICE
    [api] = [each for each in release.of_kind("Deployment") if each["metadata"]["name"] == "shop-galleria"]
    assert service["spec"]["selector"].items() <= api["spec"]["template"]["metadata"]["labels"].items()
    [container] = api["spec"]["template"]["spec"]["containers"]
    assert port["targetPort"] in {port["name"] for port in container["ports"]}
