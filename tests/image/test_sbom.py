"""What Galleria is made of, in a form that tools read."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.image import inventory, sbom
from tests.image.context import ROOT

MAKE = shutil.which("make") or "make"
LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)", re.MULTILINE)
STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12
Description: GNU C Library
 Shared libraries: those that everything needs.

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """What `make sbom` writes of the runtime requirements, without a network."""
    folder = tmp_path_factory.mktemp("sbom")
    # Nothing is to be installed in the midst of the tests.
    options = ["--old-file=.venv/development.stamp", f"BIN={sys.prefix}/bin", f"SBOM={folder}", "IMAGE=localhost/none"]
    recipe = subprocess.run(  # noqa: S603 - the recipe is ours.
        [MAKE, "--no-print-directory", "sbom", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert recipe.returncode == 0, recipe.stderr
    assert recipe.stdout.splitlines()[-1] == "There is no image localhost/none here: make image-test builds it."
    return (folder / "requirements.json").read_text()


def assert_valid(text):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_is_valid(document):
    assert_valid(document)
    told = json.loads(document)["metadata"]["component"]
    assert (told["name"], told["type"]) == ("galleria", "application")


def test_every_requirement_is_in_it_with_version_and_hashes(document):
    requirements = (ROOT / "requirements" / "runtime.txt").read_text()
    paragraphs = re.split(r"^(?=[\w.-]+==)", requirements, flags=re.MULTILINE)[1:]
    wanted = {
        "pkg:pypi/{name}@{version}".format(**LOCKED.match(each).groupdict()): set(
            re.findall("sha256:([0-9a-f]{64})", each)
        )
        for each in paragraphs
    }
    found = {
        component["purl"]: {
            one["content"] for reference in component["externalReferences"] for one in reference["hashes"]
        }
        for component in json.loads(document)["components"]
    }
    assert len(wanted) > 30
    assert found == wanted


def test_an_image_tells_its_packages_and_python():
    told = {
        "python": "3.14.0",
        "system": {"id": "debian", "version": "13"},
        "distributions": [("typing_extensions", "4.16.0", "PSF-2.0"), ("six", "1.17.0", "")],
        "packages": inventory.packages(STATUS),
    }
    text = sbom.written(told, "localhost/galleria:0.1.0")
    assert_valid(text)
    document = json.loads(text)
    assert document["metadata"]["component"] == {
        "bom-ref": "image",
        "name": "galleria",
        "type": "container",
        "version": "0.1.0",
    }
    assert {component.get("purl") for component in document["components"]} == {
        None,
        "pkg:deb/debian/libc6@2.41-12?arch=amd64",
        "pkg:generic/python@3.14.0",
        "pkg:pypi/six@1.17.0",
        "pkg:pypi/typing-extensions@4.16.0",
    }


def test_the_inventory_knows_what_is_installed(capsys):
    inventory.main()
    told = json.loads(capsys.readouterr().out)
    assert "starlette" in {name for name, *_ in told["distributions"]}
    assert told["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
