"""Random operations over any schema, valid by construction."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_object_type,
)

from tests.engine.inputs import Inputs

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """What a client sends.

    Attributes:
        text: A valid document of one or several operations.
        variables: Values of the variables of the operation that is run.
        name: The operation that is run; None for the only one.
        type: Of the operation that is run.
    """

    text: str
    variables: Mapping[str, Any]
    name: str | None
    type: OperationType


@dataclasses.dataclass(frozen=True, slots=True)
class Wishes:
    """What operations are drawn from.

    Attributes:
        depth: Of nested selections.
        size: About how many fields there are in a document.
        types: Weights of the operation types.
        values: Candidates for arguments, input fields and scalars, by "Type.field.argument", "Input.field" or "Scalar".
        always: Names of arguments that are always given.
        seldom: Names of arguments that are nearly always left out.
        left_out: Coordinates of fields that are not asked for.
        directive: A directive that means nothing and may stand everywhere; empty for none.
        spoilt: How many of a hundred operations come with a variable that cannot be coerced.
    """

    depth: int = 5
    size: int = 24
    types: Mapping[OperationType, int] = dataclasses.field(default_factory=lambda: {OperationType.QUERY: 1})
    values: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    always: frozenset[str] = frozenset()
    seldom: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    directive: str = ""
    spoilt: int = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A field at a place of the response."""

    parent: Composite
    field: str
    arguments: str
    shape: str

    def merges_with(self, other: "Entry") -> bool:
        """Tell whether both may have the same response key."""
        if self.shape != other.shape:
            return False
        if (self.field, self.arguments) == (other.field, other.arguments):
            return True
        both = is_object_type(self.parent) and is_object_type(other.parent)
        return both and self.parent is not other.parent


class Place:
    """A place of the response where an object stands, with what was asked for there."""

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        self.path = path
        self.entries: dict[str, list[Entry]] = {}
        self.below: dict[str, Place] = {}

    def at(self, path: Iterable[str]) -> "Place":
        """Return a place below this one."""
        place = self
        for key in path:
            place = place.below.setdefault(key, Place((*place.path, key)))
        return place

    def takes(self, key: str, entry: Entry) -> bool:
        """Tell whether a field may have a response key here."""
        return all(entry.merges_with(other) for other in self.entries.get(key, ()))


@dataclasses.dataclass(slots=True)
class Fragment:
    """A named fragment: what it asks for relative to where it is spread, and the variables that it uses."""

    name: str
    on: Composite
    body: str = ""
    footprint: list[tuple[tuple[str, ...], str, Entry]] = dataclasses.field(default_factory=list)
    variables: set[str] = dataclasses.field(default_factory=set)


class Writer:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, random: Random, wishes: Wishes) -> None:
        self.schema = schema
        self.random = random
        self.wishes = wishes
        self.inputs = Inputs(random, wishes.values, wishes.always, wishes.seldom)
        self.left = wishes.size
        self.keys = 0
        self.uses: dict[str, set[str]] = {}
        self.fragments: list[Fragment] = []
        self.finished: list[Fragment] = []
        self.open: list[tuple[Place, Fragment]] = []

    def operations(self) -> list[Operation]:
        """Write a document of one or a few operations, and return each with variables of its own."""
        count = self.random.choice((1, 1, 2, 3, 4))
        written = [self._operation(f"Op{index}" if count > 1 else None) for index in range(count)]
        fragments = [f"fragment {each.name} on {each.on.name}{each.body}" for each in self.fragments]
        text = "\n".join([*(text for _, _, text, _ in written), *fragments])
        return [
            Operation(text, self.inputs.given(used, spoilt=self._often(self.wishes.spoilt)), name, kind)
            for name, kind, _, used in written
        ]

    def _operation(self, name: str | None) -> tuple[str | None, OperationType, str, set[str]]:
        kinds = list(self.wishes.types)
        kind = self.random.choices(kinds, weights=list(self.wishes.types.values()))[0]
        root = self.schema.get_root_type(kind)
        assert root is not None
        self.inputs.used = set()
        self.left = max(self.left, 4)
        if kind is OperationType.SUBSCRIPTION:
            body = f"{{ {self._field(root, Place(), self.wishes.depth, plain=True)} }}"
            note = ""
        else:
            body = self._selections(root, Place(), self.wishes.depth)
            note = self._note()
        used = self.inputs.used
        declared = self.inputs.declarations(used)
        return name, kind, f"{kind.value} {name or ''}{declared}{note}{body}", used

    def _often(self, of_hundred: int) -> bool:
        return self.random.randrange(100) < of_hundred

    def _selections(self, parent: Composite, place: Place, depth: int) -> str:
        written = [self._selection(parent, place, depth) for _ in range(self.random.randrange(1, 5))]
        return f" {{ {' '.join(written)} }}"

    def _selection(self, parent: Composite, place: Place, depth: int) -> str:
        drawn = self.random.randrange(100)
        if drawn < 12 and self.left > 0:
            return self._inline(parent, place, depth)
        if drawn < 24 and self.left > 0:
            return self._spread(parent, place, depth)
        if drawn < 28 or isinstance(parent, GraphQLUnionType):
            return self._typename(parent, place)
        return self._field(parent, place, depth)

    def _typename(self, parent: Composite, place: Place) -> str:
        key = self._key("__typename", Entry(parent, "__typename", "", "String!"), place)
        return f"{key}__typename{self._conditions()}"

    def _field(self, parent: Composite, place: Place, depth: int, *, plain: bool = False) -> str:
        assert not isinstance(parent, GraphQLUnionType)
        field_name, field = self._chosen(parent.fields, parent, depth)
        if field is None:
            return self._typename(parent, place)
        self.left -= 1
        named = get_named_type(field.type)
        arguments = self._arguments(f"{parent.name}.{field_name}", field_name, field, place)
        entry = Entry(parent, field_name, arguments, _shape(field))
        alias = self._key(field_name, entry, place)
        conditions = "" if plain else self._conditions()
        body = ""
        if is_composite_type(named):
            key = alias.partition(":")[0] or field_name
            body = self._selections(named, place.at((key,)), depth - 1)
        return f"{alias}{field_name}{arguments}{conditions}{body}"

    def _chosen(
        self, fields: Mapping[str, GraphQLField], parent: Composite, depth: int
    ) -> tuple[str, GraphQLField | None]:
        deep = depth > 1 and self.left > 0
        able = [
            (name, field)
            for name, field in fields.items()
            if f"{parent.name}.{name}" not in self.wishes.left_out
            and (deep or is_leaf_type(get_named_type(field.type)))
        ]
        return self.random.choice(able) if able else ("", None)

    def _arguments(self, coordinate: str, name: str, field: GraphQLField, place: Place) -> str:
        if not field.args:
            return ""
        same = [entry.arguments for entry in place.entries.get(name, ()) if entry.field == name]
        if same and self._often(60):
            self._note_used(self.uses[same[0]])
            return same[0]
        before = self.inputs.used
        self.inputs.used = set()
        written = self.inputs.arguments(coordinate, field.args)
        used, self.inputs.used = self.inputs.used, before
        self.uses[written] = used
        self._note_used(used)
        return written

    def _note_used(self, names: set[str]) -> None:
        self.inputs.used |= names
        for _, fragment in self.open:
            fragment.variables |= names

    def _key(self, name: str, entry: Entry, place: Place) -> str:
        """Choose a response key, register the field under it, and return the alias as it is written."""
        key = name
        if self._often(20):
            key = self.random.choice(("a", "b", "name", "id", name))
        if not place.takes(key, entry):
            self.keys += 1
            key = f"k{self.keys}"
        self._register(place, key, entry)
        return "" if key == name else f"{key}: "

    def _register(self, place: Place, key: str, entry: Entry) -> None:
        entries = place.entries.setdefault(key, [])
        if entry not in entries:
            entries.append(entry)
        for base, fragment in self.open:
            fragment.footprint.append((place.path[len(base.path) :], key, entry))

    def _inline(self, parent: Composite, place: Place, depth: int) -> str:
        self.left -= 1
        on = self.random.choice([None, *self._overlapping(parent)])
        condition = "" if on is None else f" on {on.name}"
        body = self._selections(on or parent, place, depth)
        return f"...{condition}{self._conditions()}{self._note()}{body}"

    def _spread(self, parent: Composite, place: Place, depth: int) -> str:
        self.left -= 1
        overlapping = self._overlapping(parent)
        known = [each for each in self.finished if each.on in overlapping and self._fits(each, place)]
        if known and self._often(50):
            fragment = self.random.choice(known)
            for path, key, entry in list(fragment.footprint):
                self._register(place.at(path), key, entry)
            self._note_used(fragment.variables)
            return f"...{fragment.name}{self._conditions()}"
        fragment = Fragment(f"F{len(self.fragments)}", self.random.choice(overlapping))
        self.fragments.append(fragment)
        self.open.append((place, fragment))
        fragment.body = self._note() + self._selections(fragment.on, place, depth)
        self.open.pop()
        self.finished.append(fragment)
        return f"...{fragment.name}{self._conditions()}"

    @staticmethod
    def _fits(fragment: Fragment, place: Place) -> bool:
        return all(place.at(path).takes(key, entry) for path, key, entry in fragment.footprint)

    def _overlapping(self, parent: Composite) -> list[Composite]:
        """Return the types that a fragment within a type may be on."""
        own = _members(self.schema, parent)
        return [
            each
            for each in self.schema.type_map.values()
            if is_composite_type(each) and not each.name.startswith("__") and own & _members(self.schema, each)
        ]

    def _conditions(self) -> str:
        """Return `@skip`, `@include`, both or, mostly, neither."""
        if not self._often(15):
            return self._note()
        written = []
        for name in self.random.choice((("skip",), ("include",), ("include", "skip"))):
            before, self.inputs.used = self.inputs.used, set()
            written.append(f" @{name}(if: {self.inputs.condition()})")
            used, self.inputs.used = self.inputs.used, before
            self._note_used(used)
        return "".join(written)

    def _note(self) -> str:
        return f" {self.wishes.directive}" if self.wishes.directive and self._often(3) else ""


def _shape(field: GraphQLField) -> str:
    named = get_named_type(field.type)
    text = str(field.type)
    return text if is_leaf_type(named) else text.replace(named.name, "{}")


def _members(schema: GraphQLSchema, composite: Any) -> set[GraphQLObjectType]:
    if isinstance(composite, GraphQLInterfaceType | GraphQLUnionType):
        abstract: GraphQLAbstractType = composite
        assert is_abstract_type(abstract)
        return set(schema.get_possible_types(abstract))
    return {composite}


def seeded(seed: int) -> Random:
    """Return a source of choices that are the same each time."""
    return Random(seed)  # noqa: S311  (nothing is secret here)
