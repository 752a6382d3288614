"""Draws values that the schema of the chart's values takes."""

import functools
import json
import re
import string
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.helm.rendering import CHART, Values

Schema = dict[str, Any]
Path = tuple[str, ...]

PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "
"""What YAML minds is among it; letters beyond are in the descriptions of no field."""

HELMS_OWN = ("global",)
"""Values that Helm hands to every chart that is a part of another one, wanted or not."""

TRICKY = ("0", "1e3", "0x1f", "on", "null", "true", "2026-01-01", "~", "a: b", "- a", "#a", "'", "{{ .Values }}", "%s")
"""Texts that are something else to YAML, or to a template, unless they are quoted."""

SMALLEST, GREATEST = -(10**6), 10**6
"""Bounds of whole numbers that have none."""


@functools.cache
def schema() -> Schema:
    """Read the schema of the values."""
    return json.loads((CHART / "values.schema.json").read_text())


def resolved(part: Schema) -> Schema:
    """Return a part with what it refers to in it."""
    for other in [{"$ref": part["$ref"]}] if "$ref" in part else part.get("allOf", []):
        target = schema()["definitions"][other["$ref"].rpartition("/")[2]] if "$ref" in other else other
        part = {**resolved(target), **{key: value for key, value in part.items() if key not in {"$ref", "allOf"}}}
    return part


def leaves(defaults: Values, part: Schema | None = None, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Give all values that the chart has no fields of its own for, with their schemas.

    Args:
        defaults: The chart's own values, at that path.
        part: Their schema.
        path: Where they are.
    """
    for name, child in resolved(part or schema())["properties"].items():
        default, below = defaults.get(name), resolved(child)
        if default and "properties" in below:
            yield from leaves(default, below, (*path, name))
        elif (*path, name) != HELMS_OWN:
            yield (*path, name), below


def values_by(part: Schema) -> st.SearchStrategy[Any]:
    """Return a strategy of what a part of the schema takes.

    Raises:
        NotImplementedError: It says something that no strategy is known for.
    """
    part = resolved(part)
    unknown = part.keys() - _KNOWN
    if unknown:
        raise NotImplementedError(f"Teach values_by what {sorted(unknown)} mean in a schema.")
    if "oneOf" in part:
        return st.one_of([values_by(one) for one in part["oneOf"]])
    if "enum" in part:
        return st.sampled_from(part["enum"])
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return st.one_of([_BY_TYPE[kind](part) for kind in kinds])


def _strings(part: Schema) -> st.SearchStrategy[str]:
    length, pattern = part.get("minLength", 0), part.get("pattern")
    tricky = [text for text in TRICKY if len(text) >= length and (pattern is None or re.fullmatch(pattern, text))]
    if pattern is None:
        drawn = st.text(PRINTABLE, min_size=length, max_size=30)
    else:
        of_pattern = st.from_regex(pattern, fullmatch=True, alphabet=st.sampled_from(PRINTABLE))
        drawn = of_pattern.filter(lambda text: len(text) >= length)
    return drawn | st.sampled_from(tricky) if tricky else drawn


def _integers(part: Schema) -> st.SearchStrategy[int]:
    least = part.get("minimum", part.get("exclusiveMinimum", SMALLEST - 1) + 1)
    return st.integers(least, part.get("maximum", GREATEST))


def _numbers(part: Schema) -> st.SearchStrategy[float]:
    above, below = part.get("exclusiveMinimum", SMALLEST - 1), part.get("exclusiveMaximum", GREATEST + 1)
    drawn = st.decimals(part.get("minimum", above), part.get("maximum", below), places=3)
    return drawn.map(float).filter(lambda number: above < number < below)


def _arrays(part: Schema) -> st.SearchStrategy[list[Any]]:
    # Fields may have been drawn in any order.
    by = functools.partial(json.dumps, sort_keys=True) if part.get("uniqueItems") else None
    return st.lists(values_by(part["items"]), min_size=part.get("minItems", 0), max_size=3, unique_by=by)


def _objects(part: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" in part:
        needed = part.get("required", [])
        fields = {name: values_by(child) for name, child in part["properties"].items()}
        drawn = st.fixed_dictionaries(
            {name: fields[name] for name in needed},
            optional={name: field for name, field in fields.items() if name not in needed},
        )
    else:
        [(names, child)] = part.get("patternProperties", {"": part.get("additionalProperties")}).items()
        name = (
            st.from_regex(names, fullmatch=True, alphabet=st.sampled_from(PRINTABLE)) if names else st.text(PRINTABLE)
        )
        drawn = st.dictionaries(name, values_by(child), max_size=3)
    return drawn.filter(lambda made: len(made) >= part.get("minProperties", 0))


_BY_TYPE = {
    "string": _strings,
    "integer": _integers,
    "number": _numbers,
    "boolean": lambda _: st.booleans(),
    "array": _arrays,
    "object": _objects,
    "null": lambda _: st.none(),
}
_KNOWN = frozenset(
    "additionalProperties default description enum exclusiveMaximum exclusiveMinimum items maximum minItems minLength "
    "minProperties minimum oneOf pattern patternProperties properties required title type uniqueItems".split()
)
