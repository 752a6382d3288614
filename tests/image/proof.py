"""Builds the image, runs it where it may do next to nothing, and looks at it: `make image-test`.

It is not among the ordinary tests, since it takes minutes and what engines need; `test_serving` is.
"""

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from core import embedded
from server.keys import development_keys
from tests.image import bases, sbom
from tests.image.context import ROOT, TREE, lay_out
from tests.image.engine import PODMAN, RUN, built, called, missing
from tests.servers import folder, free_port

IMAGE = os.environ.get("IMAGE") or "localhost/galleria"
USER = 10_001
PATIENCE_SECONDS = 120

IDLE = (".git", ".venv", ".data", ".*cache", ".hypothesis", "node_modules", "__pycache__")
DECOYS = (".env", "core/.env", "server/server.pem", "server/token-keys.json", ".git/config", "models/__pycache__/x.pyc")

CONTENT = f"""
import gzip, hashlib, json, pathlib, sys
def content(path):
    data = path.read_bytes()
    return hashlib.sha256(gzip.decompress(data) if path.suffix == ".gz" else data).hexdigest()
tree = pathlib.Path("{TREE}")
paths = [path for path in tree.rglob("*") if path.is_file() and path.suffix != ".pyc"]
sys.stdout.write(json.dumps({{str(path.relative_to(tree)): content(path) for path in paths}}))
"""
"""Tells the files of the tree; those that are compressed by what they hold, since zlib has many versions."""

MODES = """
import json, os, pathlib, sys
places = [pathlib.Path("/opt/galleria"), pathlib.Path("/srv/galleria")]
paths = [path for place in places for path in (place, *place.rglob("*")) if not path.is_symlink()]
sys.stdout.write(json.dumps({
    "writable": [str(path) for path in paths if os.access(path, os.W_OK)],
    "unreadable": [str(path) for path in paths if not os.access(path, os.R_OK)],
    "stale": [
        str(path) for path in paths
        if path.suffix == ".pyc" and int.from_bytes(path.read_bytes()[4:8], "little") != 1
    ],
    "compiled": sum(path.suffix == ".pyc" for path in paths),
}))
"""

INSIDE = """
import json, os, pathlib, sys
def refused(path):
    try:
        pathlib.Path(path).touch()
    except OSError as error:
        return error.strerror
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/1/status").read_text().splitlines())
sys.stdout.write(json.dumps({
    "python": sys.version.split()[0],
    "command": pathlib.Path("/proc/1/cmdline").read_bytes().decode().split("\\0")[:-1],
    "status": {name: status[name].split() for name in ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs")},
    "writing": {path: refused(path) for path in ("/x", "/tmp/x", "/srv/galleria/x", "/opt/galleria/x", "/run/x")},
}))
"""


@pytest.fixture(scope="module")
def tell(request):
    """Says something while tests run."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def said(text):
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"  {text}")

    return said


@pytest.fixture(scope="module")
def base_images(tell):
    lacking = missing()
    if lacking:
        pytest.skip(f"The image is not built: there is no {' and no '.join(lacking)} here. Install them to prove it.")
    found = bases.found()
    if found is None:
        pytest.skip(
            "The image is not built: its base images can neither be pulled nor, by debootstrap as root, be made."
        )
    tell(f"It begins with {' and '.join(found.values())}.")
    return [f"{name}={image}" for name, image in found.items()]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The repository as it is now, whatever becomes of it meanwhile, with what must not get into the image."""
    copied = tmp_path_factory.mktemp("repository") / "galleria"
    shutil.copytree(ROOT, copied, symlinks=True, ignore=shutil.ignore_patterns(*IDLE))
    for decoy in DECOYS:
        (copied / decoy).parent.mkdir(exist_ok=True)
        (copied / decoy).touch()
    return copied


@pytest.fixture(scope="module")
def image(base_images, repository, tell):
    """The image, built."""
    started = time.monotonic()
    number = built(IMAGE, repository, base_images)
    [told] = json.loads(called(*PODMAN, "image", "inspect", IMAGE))
    tell(f"Built {IMAGE} in {time.monotonic() - started:.0f} s: {told['Size'] / 1e6:.0f} MB, {number[:12]}.")
    return number


@pytest.fixture(scope="module")
def secrets(image):  # noqa: ARG001 - there is nothing to tell before there is an image.
    """A folder of files as an orchestrator would mount them, with an empty database behind the addresses."""
    with folder() as place:
        server = embedded.start(place / "postgresql", durable=False)
        try:
            mounted = place / "secrets"
            mounted.mkdir()
            (mounted / "database-url").write_text(server.url("galleria_app"))
            (mounted / "owner-database-url").write_text(server.url("galleria_owner"))
            development_keys(mounted)
            for path in mounted.iterdir():
                shutil.chown(path, group=USER) if os.geteuid() == 0 else None
                path.chmod(0o440)
            yield mounted
        finally:
            server.stop()


@pytest.fixture(scope="module")
def options(secrets, redis_url):
    """What a container is told."""
    with free_port() as one, free_port() as other:
        ports = {"GALLERIA_PORT": one.getsockname()[1], "GALLERIA_METRICS_PORT": other.getsockname()[1]}
    environ = {
        **ports,
        "DATABASE_URL_FILE": "/secrets/database-url",
        "REDIS_URL": redis_url,
        "GALLERIA_OWNER_DATABASE_URL_FILE": "/secrets/owner-database-url",
        "GALLERIA_TOKEN_KEYS": "/secrets/token-keys.json",
        "GALLERIA_TOKEN_ISSUER": "galleria-development",
        "GALLERIA_DRAIN_SECONDS": "1",
    }
    return [f"--volume={secrets}:/secrets:ro", *(f"--env={name}={value}" for name, value in environ.items())]


def python(code, *options):
    """Run Python in the image, and read what it tells."""
    return json.loads(called(*RUN, *options, "--entrypoint=python", IMAGE, "-c", code))


@contextlib.contextmanager
def serving(options, name, arguments):
    """Run the image until it answers."""
    command = [*(each for each in RUN if each != "--rm"), *options, f"--name={name}", IMAGE, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    with process:
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if "Galleria answers on" in line:
                    break
            else:
                pytest.fail(f"It did not serve: {''.join(said)}")
            yield process
        finally:
            called(*PODMAN, "rm", "--force", "--time=0", "--ignore", name)


@pytest.mark.usefixtures("image")
def test_it_is_built_again_bit_by_bit(repository, base_images, tell):
    first = lasting(IMAGE)
    built(f"{IMAGE}:again", repository, base_images)
    again = lasting(f"{IMAGE}:again")
    called("buildah", "rmi", f"{IMAGE}:again")
    assert again == first
    tell("Built once more: the same bits.")


def lasting(image):
    """Return the digests of all files and what else is in an image; buildah adds the name of the machine it ran on."""
    [told] = json.loads(called(*PODMAN, "image", "inspect", image))
    return told["RootFS"]["Layers"], told["Config"], told["Created"]


@pytest.mark.usefixtures("image")
def test_it_holds_what_the_repository_holds(repository, tmp_path, tell):
    lay_out(tmp_path / "tree", repository)
    paths = [path for path in (tmp_path / "tree").rglob("*") if path.is_file()]
    wanted = {str(path.relative_to(tmp_path / "tree")): content(path) for path in paths}
    assert python(CONTENT) == wanted
    tell(f"{len(wanted)} files are those of the repository; GraphiQL was bundled to what lies there.")


def content(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha256(gzip.decompress(data) if path.suffix == ".gz" else data).hexdigest()


@pytest.mark.usefixtures("image")
def test_its_files_are_compiled_and_readable_and_cannot_be_written(tell):
    told = python(MODES)
    assert (told["writable"], told["unreadable"], told["stale"]) == ([], [], [])
    assert told["compiled"] > 1_000
    tell(f"{told['compiled']} modules are compiled for good.")


def test_it_migrates_and_opens_a_shop(options, tell):
    assert called(*RUN, *options, IMAGE, "migrate") == "Migrated to head."
    called(*RUN, *options, IMAGE, "shops", "create", "corner")
    tell("It migrated an empty PostgreSQL and opened a shop.")


@pytest.mark.parametrize("arguments", [(), ("serve", "--workers=2")])
def test_it_serves_with_next_to_no_rights_and_ends_in_order(options, arguments, tell):
    name = f"galleria-proof-{os.getpid()}"
    port = next(each.rpartition("=")[2] for each in options if "GALLERIA_PORT=" in each)
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    with (
        serving(options, name, arguments) as process,
        httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client,
    ):
        ready = client.get("/readyz")
        seconds = time.monotonic() - started
        answer = client.post("/graphql", json={"query": "{ shop { slug } }"}, headers={"Galleria-Shop": "corner"})
        [described] = json.loads(called(*PODMAN, "image", "inspect", IMAGE))
        probe = described["Healthcheck"]["Test"][1:]
        probed = json.loads(called(*PODMAN, "exec", name, *probe))
        inside = json.loads(called(*PODMAN, "exec", name, "python", "-c", INSIDE))
        called(*PODMAN, "kill", f"--signal={described['Config']['StopSignal']}", name)
        rest, _ = process.communicate(timeout=PATIENCE_SECONDS)
    # The bus between processes may not have been opened yet.
    assert (ready.status_code, ready.json()["checks"]["database"]) == (200, "ok")
    assert answer.json()["data"] == {"shop": {"slug": "corner"}}
    assert probed["status"] == "alive"
    assert inside["command"] == ["python", "-m", "server", *(arguments or ["serve"])]
    assert_powerless(inside)
    assert (process.returncode, rest.splitlines()[-1]) == (0, "Stopped.")
    tell(f"/readyz answered 200 after {seconds:.1f} s; {inside['status']}; SIGTERM ended it with {process.returncode}.")
    tell(f"Writing: {inside['writing']}.")


def assert_powerless(inside):
    status = inside["status"]
    assert {int(number) for number in (*status["Uid"], *status["Gid"])} == {USER}
    assert [int(status[name][0], 16) for name in ("CapEff", "CapPrm", "CapBnd")] == [0, 0, 0]
    assert status["NoNewPrivs"] == ["1"]
    assert set(inside["writing"].values()) == {"Read-only file system"}


@pytest.mark.usefixtures("image")
def test_it_says_what_it_lacks():
    done = subprocess.run([*RUN, IMAGE], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert "galleria: Set DATABASE_URL" in done.stderr


@pytest.mark.usefixtures("image")
def test_it_tells_what_it_is_made_of(tell):
    inventory = sbom.asked(IMAGE)
    components = json.loads(sbom.written(inventory, IMAGE))["components"]
    purls = {component.get("purl", "") for component in components}
    for requirement in (ROOT / "requirements" / "runtime.txt").read_text().splitlines():
        if "==" in requirement and ";" not in requirement:
            name, _, version = requirement.rstrip("\\ ").partition("==")
            assert f"pkg:pypi/{name}@{version}" in purls
    tell(f"Its SBOM names {len(components)} components.")
