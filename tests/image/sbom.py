"""Writes what an image is made of, as CycloneDX: `python -m tests.image.sbom IMAGE FILE`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tests.image.engine import RUN

INVENTORY = Path(__file__).with_name("inventory.py")


def main(image: str, file: str) -> None:
    """Ask the image and write the answer to a file."""
    Path(file).write_text(written(asked(image), image), encoding="utf-8")


def asked(image: str) -> dict[str, Any]:
    """Let the image tell what it is made of."""
    done = subprocess.run(  # noqa: S603 - the program is the one we looked for.
        [*RUN, "--interactive", "--entrypoint", "python", image, "-"],
        input=INVENTORY.read_bytes(),
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def written(inventory: Mapping[str, Any], image: str) -> str:
    """Return the CycloneDX document; what does not change gives the same document again.

    Raises:
        ValueError: It would not be one.
    """
    name, _, tag = image.rpartition("/")[2].partition(":")
    whole = Component(name=name, version=tag or None, type=ComponentType.CONTAINER, bom_ref="image")
    components = [*_distributions(inventory), *_packages(inventory), _python(inventory), _system(inventory)]
    bom = Bom(components=components, metadata=BomMetaData(component=whole))
    bom.register_dependency(whole, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    # Both are there to tell one document from another, which is what nobody wants of these.
    document.pop("serialNumber")
    document["metadata"].pop("timestamp")
    text = f"{json.dumps(document, indent=2)}\n"
    complaint = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if complaint is not None:
        raise ValueError(f"{image} cannot be described: {complaint}")
    return text


def _distributions(inventory: Mapping[str, Any]) -> Iterator[Component]:
    for name, version, licence in inventory["distributions"]:
        purl = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
        licences = [DisjunctiveLicense(name=licence)] if licence else []
        yield Component(name=name, version=version, purl=purl, bom_ref=purl.to_string(), licenses=licences)


def _packages(inventory: Mapping[str, Any]) -> Iterator[Component]:
    system = inventory["system"]["id"]
    for name, version, architecture in inventory["packages"]:
        purl = PackageURL("deb", system, name, version, {"arch": architecture})
        yield Component(name=name, version=version, purl=purl, bom_ref=purl.to_string())


def _python(inventory: Mapping[str, Any]) -> Component:
    version = inventory["python"]
    purl = PackageURL("generic", name="python", version=version)
    return Component(name="python", version=version, purl=purl, bom_ref=purl.to_string(), type=ComponentType.PLATFORM)


def _system(inventory: Mapping[str, Any]) -> Component:
    system = inventory["system"]
    return Component(
        name=system["id"], version=system["version"], bom_ref="system", type=ComponentType.OPERATING_SYSTEM
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
