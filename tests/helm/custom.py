"""Checks custom resources by the models of those who define them: values by their schemas, fields by their types."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.helm.kubernetes import CUSTOM, group_of
from tests.helm.rendering import Manifest, title_of

NODE = Path(__file__).parents[1] / "node"
COMPILER = NODE / "node_modules" / "typescript" / "bin" / "tsc"


def module_of(manifest: Manifest) -> str:
    """Name the module that knows a custom resource."""
    return f"@kubernetes-models/{CUSTOM[group_of(manifest)]}/{manifest['apiVersion']}/{manifest['kind']}"


def wrong_values(node: str, manifests: Sequence[Manifest]) -> list[str]:
    """Say what the schemas refuse; they take fields that they do not know."""
    objects = [{"module": module_of(manifest), "object": manifest} for manifest in manifests]
    command = [node, str(NODE / "resources.mjs")]
    done = subprocess.run(command, input=json.dumps(objects), capture_output=True, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)


def unknown_fields(node: str, manifests: Sequence[Manifest], folder: Path) -> list[str]:
    """Say which fields the types do not know: TypeScript refuses these in an object that is written down.

    Args:
        node: Node.js.
        manifests: Custom resources.
        folder: A place for the program that writes them down.
    """
    lines = [
        f'const object{position}: import("{module_of(manifest)}").I{manifest["kind"]} = {json.dumps(manifest)};'
        for position, manifest in enumerate(manifests)
    ]
    (folder / "objects.ts").write_text("\n".join(lines))
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    options = "--noEmit --strict --skipLibCheck --pretty false --module nodenext --moduleResolution nodenext".split()
    done = subprocess.run(  # noqa: S603
        [node, COMPILER, *options, "objects.ts"], cwd=folder, capture_output=True, text=True, check=False
    )
    faults = done.stdout.splitlines()
    if done.returncode and not faults:
        raise RuntimeError(f"The TypeScript compiler did not run: {done.stderr}")
    return [_titled(fault, manifests) for fault in faults]


def _titled(fault: str, manifests: Sequence[Manifest]) -> str:
    """Put an object's title where the compiler has its line."""
    place, separator, message = fault.partition("): error ")
    if not separator:
        return fault
    line = int(place.removeprefix("objects.ts(").split(",")[0])
    return f"{title_of(manifests[line - 1])}: {message}"
