"""Writes the chart's values.schema.json: keys, defaults and descriptions from values.yaml, bounds from here.

`python -m helm.values_schema` writes it, `--check` tells whether it is current.
"""

import fnmatch
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from helm.values_bounds import BOUNDS, DEFINITIONS

CHART = Path(__file__).parent / "galleria"
VALUES, SCHEMA = CHART / "values.yaml", CHART / "values.schema.json"

Schema = dict[str, Any]

_KEY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_]\w*):(?: |$)")
_TYPES: Sequence[tuple[type, str]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def descriptions(text: str) -> dict[str, str]:
    """Return the comment above each key, by the key's path such as `api.replicas`."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.lstrip("# "))
            continue
        if match := _KEY.match(line):
            indent = len(match["indent"])
            path = [*(step for step in path if step[0] < indent), (indent, match["key"])]
            found[".".join(key for _, key in path)] = " ".join(comment)
        comment = []
    return found


def schema_of(values: Mapping[str, Any], texts: Mapping[str, str], at: str = "") -> Schema:
    """Return the schema of an object of values.

    Args:
        values: The defaults.
        texts: Descriptions, by path.
        at: The path of the object; empty for the whole.
    """
    properties = {}
    for key, default in values.items():
        path = f"{at}.{key}" if at else key
        properties[key] = _property(default, texts, path)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(default: Any, texts: Mapping[str, str], path: str) -> Schema:
    if not texts.get(path):
        raise SystemExit(f"{VALUES.name}: write a comment above {path}.")
    bounds = _bounds(path)
    described = {"description": texts[path]}
    if "$ref" in bounds:
        # What stands beside a reference does not count in this draft.
        return {**described, "allOf": [bounds]}
    if isinstance(default, dict) and "patternProperties" not in bounds:
        return {**described, **schema_of(default, texts, path), **bounds}
    [kind] = [name for type_, name in _TYPES if isinstance(default, type_)][:1]
    if kind in {"array", "object"} and not bounds:
        raise SystemExit(f"values_bounds.py: say what {path} holds.")
    return {**described, "type": kind, **bounds}


def _bounds(path: str) -> Schema:
    """Return what is said of a path, by the first pattern that fits."""
    return next((bounds for pattern, bounds in BOUNDS.items() if fnmatch.fnmatchcase(path, pattern)), {})


def unused(paths: Sequence[str]) -> Iterator[str]:
    """Yield the patterns that fit no path: what they bound was renamed or removed."""
    return (pattern for pattern in BOUNDS if not fnmatch.filter(paths, pattern))


def printed() -> str:
    """Return the schema as text.

    Raises:
        SystemExit: A key has no comment, a list no bounds, or bounds fit no key.
    """
    text = VALUES.read_text(encoding="utf-8")
    texts = descriptions(text)
    if spare := list(unused(list(texts))):
        raise SystemExit(f"values_bounds.py: nothing in {VALUES.name} fits {', '.join(spare)}.")
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart galleria",
        **schema_of(yaml.safe_load(text), texts),
        "definitions": DEFINITIONS,
    }
    parents = {"description": "Of a chart that this one is a part of; not used.", "type": "object"}
    schema["properties"]["global"] = parents
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Write the schema, or check it.

    Raises:
        SystemExit: It is not current.
    """
    text = printed()
    if "--check" not in arguments:
        SCHEMA.write_text(text, encoding="utf-8")
    elif SCHEMA.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{SCHEMA.name} is not current: run python -m helm.values_schema.")


if __name__ == "__main__":
    main(sys.argv[1:])
