"""Writes the chart's values.schema.json, and the table of values in its README, from values.yaml and its comments.

`python -m helm.values_schema` writes them, `--check` tells whether they are current.
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
VALUES, SCHEMA, README = CHART / "values.yaml", CHART / "values.schema.json", CHART / "README.md"

Schema = dict[str, Any]

_BEGIN, _END = "<!-- begin values -->\n", "<!-- end values -->"
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


def described() -> str:
    """Return the README with a table of all values."""
    text = VALUES.read_text(encoding="utf-8")
    rows = [f"{row}\n" for row in _rows(yaml.safe_load(text), descriptions(text))]
    page = README.read_text(encoding="utf-8")
    start, end = page.index(_BEGIN) + len(_BEGIN), page.index(_END)
    return f"{page[:start]}| value | default | what it is |\n| --- | --- | --- |\n{''.join(rows)}{page[end:]}"


def _rows(values: Mapping[str, Any], texts: Mapping[str, str], at: str = "") -> Iterator[str]:
    """Yield a row for each value, and one for each object in front of what it holds."""
    for key, default in values.items():
        path = f"{at}{key}"
        about = texts[path].replace("|", "\\|")
        if isinstance(default, dict) and f"{path}.{next(iter(default), '')}" in texts:
            yield f"| **`{path}`** | | **{about}** |"
            yield from _rows(default, texts, f"{path}.")
        else:
            yield f"| `{path}` | `{json.dumps(default, ensure_ascii=False)}` | {about} |"


def main(arguments: Sequence[str]) -> None:
    """Write schema and table, or check them.

    Raises:
        SystemExit: One is not current.
    """
    for path, text in ((SCHEMA, printed()), (README, described())):
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{path.name} is not current: run python -m helm.values_schema.")


if __name__ == "__main__":
    main(sys.argv[1:])
