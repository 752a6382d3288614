"""Tells what an image is made of, as JSON: `podman run --interactive --entrypoint python IMAGE - < inventory.py`.

It runs inside, where there is nothing but Python.
"""

import importlib.metadata
import json
import platform
import sys
import sysconfig
from pathlib import Path

STATUS = Path("/var/lib/dpkg/status")


def main() -> None:
    # Python's own folder is not on the path of a virtual environment, but in the image all the same.
    places = [*sys.path, sysconfig.get_path("purelib", vars={"base": sys.base_prefix})]
    found = importlib.metadata.distributions(path=places)
    distributions = sorted({(each.metadata["Name"], each.version, licence(each.metadata)) for each in found})
    system = platform.freedesktop_os_release()
    told = {
        "python": platform.python_version(),
        "system": {"id": system["ID"], "version": system.get("VERSION_ID", system.get("VERSION_CODENAME", ""))},
        "distributions": distributions,
        "packages": packages(STATUS.read_text(encoding="utf-8")) if STATUS.exists() else [],
    }
    sys.stdout.write(json.dumps(told))


def licence(metadata: importlib.metadata.PackageMetadata) -> str:
    """Return the expression or, of older packages, the short name of the licence; empty for whole texts."""
    told = metadata.get("License-Expression") or metadata.get("License") or ""
    return "" if "\n" in told else told


def packages(status: str) -> list[tuple[str, str, str]]:
    """Read name, version and architecture of what Debian's package manager installed."""
    found = []
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status") == "install ok installed":
            found.append((fields["Package"], fields["Version"], fields["Architecture"]))
    return sorted(found)


if __name__ == "__main__":
    main()
