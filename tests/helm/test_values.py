"""The values, their schema and the templates agree: nothing is left out, nothing is there for nothing."""

import copy
import re

import pytest
import yaml
from helm_python import HelmRenderError, HelmValuesError
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from tests.helm.rendering import CHART, EXAMPLES, chart, render, values_of
from tests.helm.valid import HELMS_OWN, leaves, resolved, schema, values_by

DEFAULTS = chart().values
LEAVES = dict(leaves(DEFAULTS))
SECTIONS = sorted({path[0] for path in LEAVES})
QUICK = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# Passwords that are made by chance would let every value seem to change something.
CHANCE = re.compile(r'(?<=password: ")\w+(?=")|(?<=galleria_app:)\w+(?=@)')


@pytest.fixture(scope="module")
def bases():
    """Values of the examples, with what is rendered from them; those that are rendered fastest come first."""
    values = sorted(map(values_of, EXAMPLES), key=lambda given: len(yaml.dump(given)))
    return [(given, seen(given)) for given in values]


def seen(values):
    """Return what is rendered, or why it is not."""
    try:
        return {path: CHANCE.sub("", text) for path, text in render(values).files.items()}
    except HelmRenderError as error:
        return str(error)


def changed(values, path, value):
    """Return values with another one at a path."""
    copied = copy.deepcopy(values)
    place = copied
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
    return copied


def depth(path, given):
    """Say how far some values go along a path."""
    if not path or not isinstance(given, dict) or path[0] not in given:
        return 0
    return 1 + depth(path[1:], given[path[0]])


def at(path, given):
    """Return the value at a path, if there is one."""
    return given if not path else at(path[1:], given.get(path[0], {}))


def is_used(path, bases):
    """Say whether some value at a path makes a difference to some example."""
    # Where an example has something to say about the surroundings, they are most likely in use.
    tried = sorted(bases, key=lambda base: -depth(path, base[0]))

    def makes_a_difference(value):
        if value == at(path, DEFAULTS):
            return False
        return any(seen(changed(values, path, value)) != before for values, before in tried)

    try:
        find(values_by(LEAVES[path]), makes_a_difference, settings=QUICK)
    except NoSuchExample:
        return False
    return True


@pytest.mark.parametrize("section", SECTIONS)
def test_every_value_is_used(section, bases):
    """A value that changes no output would be a promise that nobody keeps."""
    paths = [path for path in LEAVES if path[0] == section]
    assert [".".join(path) for path in paths if not is_used(path, bases)] == []


def test_a_value_that_is_not_used_is_found(bases):
    without = [(values, before) for values, before in bases if "ingress" not in values]
    assert is_used(("ingress", "className"), bases)
    assert not is_used(("ingress", "className"), without[:1])


def parts(given, part, path=()):
    """Walk through values and their schema side by side; what one has and the other has not is absent there."""
    part = resolved(part)
    yield path, given, part
    for name, child in part.get("properties", {}).items():
        yield from parts(given.get(name) if isinstance(given, dict) else None, child, (*path, name))


def test_every_value_is_in_the_schema():
    for path, given, part in parts(DEFAULTS, schema()):
        if isinstance(given, dict) and "properties" in part:
            assert given.keys() <= part["properties"].keys(), path


def test_every_key_of_the_schema_is_a_value():
    """Whoever reads values.yaml sees all there is, but for the fields of Kubernetes' own objects."""
    for path, given, part in parts(DEFAULTS, schema()):
        if isinstance(given, dict) and given and "properties" in part:
            assert part["properties"].keys() - set(HELMS_OWN) == given.keys(), path


def test_every_object_of_the_schema_is_closed():
    def objects(part, path=()):
        if isinstance(part, dict):
            if part.get("type") == "object" and path[-1:] != HELMS_OWN:
                yield path, part
            for name, child in part.items():
                yield from objects(child, (*path, name))

    found = dict(objects(schema()))
    assert len(found) > 50
    assert [path for path, part in found.items() if part.get("additionalProperties") is not False] == []


def test_every_field_of_ours_is_described():
    assert [path for path, part in LEAVES.items() if len(part.get("description", "")) < 5] == []


def test_every_value_has_a_comment():
    """Kubernetes' own objects in lists are left to its manual."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    before = {position: lines[position - 1].strip() for position in range(1, len(lines))}
    for path, mark in marks(yaml.compose((CHART / "values.yaml").read_text())):
        assert before[mark.line].startswith("#"), f"Say what {'.'.join(path)} is for."


def marks(node, path=()):
    """Give the place of each key of a mapping, and of those in it."""
    for key, value in node.value:
        yield (*path, key.value), key.start_mark
        if isinstance(value, yaml.MappingNode) and (*path, key.value) not in LEAVES:
            yield from marks(value, (*path, key.value))


def refusal_of(changes):
    """Return what is said of values that are wrong in many places; all of them are told at once."""
    values = values_of(EXAMPLES[0])
    for path, value in changes.items():
        values = changed(values, path, value)
    with pytest.raises(HelmValuesError) as refused:
        chart().validate_schema(values)
    return str(refused.value)


def test_values_of_another_type_are_refused_by_name():
    wrong = {path: "none of these" if is_structure(part) else {"no": "structure"} for path, part in LEAVES.items()}
    refusal = refusal_of(wrong)
    assert [path for path in wrong if f"at '/{'/'.join(path)}': got" not in refusal] == []


def is_structure(part):
    return part.get("type") in ["array", "object"]


def test_values_outside_their_bounds_are_refused_by_name():
    wrong = {path: part["minimum"] - 1 for path, part in LEAVES.items() if "minimum" in part}
    wrong |= {path: "no such thing" for path, part in LEAVES.items() if "enum" in part}
    wrong |= {path: "\n" for path, part in LEAVES.items() if "pattern" in part}
    refusal = refusal_of(wrong)
    assert len(wrong) > 100
    assert [path for path in wrong if f"at '/{'/'.join(path)}': " not in refusal] == []


def test_unknown_values_are_refused_by_name():
    places = {path[:-1] for path in LEAVES}
    refusal = refusal_of({(*place, "replicaz"): 1 for place in places})
    wanted = [f"at '{''.join(f'/{name}' for name in place)}': additional properties 'replicaz'" for place in places]
    assert [line for line in wanted if line not in refusal] == []
