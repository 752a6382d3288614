"""Generates what makes the response objects of a whole level at once."""

from collections.abc import Callable, Sequence

from graphql import GraphQLObjectType

from engine.fields import Plain, plain_of
from engine.leaves import Names, leaf_code
from engine.plans import Field


def built(
    type_: GraphQLObjectType, keys: Sequence[str], fields: Sequence[Field], later: Sequence[Field]
) -> Callable[..., list[dict[str, object]]]:
    """Generate the function that makes all objects of a level."""
    names, by_key = Names(), {field.key: field for field in fields}
    parts = []
    for key in keys:
        field = by_key.get(key)
        if field is None:
            code = repr(type_.name)
        elif field in later:
            code = "None"
        else:
            plain = plain_of(type_, field.name, field.definition)
            assert isinstance(plain, Plain)  # noqa: S101  (narrows the type)
            code = leaf_code(field.type, plain.code("p", names), names, is_settled=plain.is_settled)
        parts.append(f"{key!r}: {code}")
    return generated(_BUILD.format(parts=", ".join(parts)), names)


_BUILD = """\
def build(ps):
    outs = []
    for p in ps:
        outs.append({{{parts}}})
    return outs
"""


def generated(source: str, names: Names) -> Callable[..., list[dict[str, object]]]:
    """Return the function `build` of a source text that holds nothing but quoted keys and generated names."""
    namespace = dict(names.values)
    exec(compile(source, "<plan>", "exec"), namespace)  # noqa: S102  (see above; a test reads the texts)
    build: Callable[..., list[dict[str, object]]] = namespace["build"]
    return build
