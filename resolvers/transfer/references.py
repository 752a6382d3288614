"""Product types, categories, attributes and values that products name: found, or made where there are none."""

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core.ids import new_id
from models import transfers
from resolvers.transfer.changes import Change
from resolvers.transfer.slugs import candidates, free_slug
from resolvers.transfer.state import Fetch, Store

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class References:
    """Ids of what products name; all names in lower case.

    Attributes:
        types: By name.
        categories: By the names from the root down.
        attributes: By name.
        values: By attribute and name.
    """

    types: Mapping[str, uuid.UUID]
    categories: Mapping[Path, uuid.UUID]
    attributes: Mapping[str, uuid.UUID]
    values: Mapping[tuple[uuid.UUID, str], uuid.UUID]


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A product type, or what else has no more than a name."""

    id: uuid.UUID
    slug: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class OptionAttribute(Named):
    """An attribute that variants are chosen by."""

    kind: str = "DROPDOWN"
    is_variant_selection: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class OptionValue(Named):
    """A value of such an attribute."""

    attribute_id: uuid.UUID


@dataclasses.dataclass(frozen=True, slots=True)
class Node(Named):
    """A category."""

    parent_id: uuid.UUID | None
    path: str


async def referred(fetch: Fetch, store: Store, changes: Sequence[Change]) -> References:
    """Find what changed products name, and make what is missing."""
    own = [change.after for change in changes if change.is_own]
    chosen = [variant.after for change in changes for variant in change.variants if variant.has_options]
    options = [option for variant in chosen for option in variant.options]
    types = await _types(fetch, store, {product.type_name for product in own if product.type_name})
    categories = await _categories(fetch, store, {product.category for product in own if product.category})
    attributes = await _attributes(fetch, store, {name for name, _ in options})
    wanted = {(attributes[name.casefold()], value) for name, value in options}
    return References(types, categories, attributes, await _values(fetch, store, wanted))


async def _types(fetch: Fetch, store: Store, names: Iterable[str]) -> dict[str, uuid.UUID]:
    wanted = _spellings(names)
    if not wanted:
        return {}
    rows = await fetch(transfers.known_types, **_sought(wanted.values()))
    found = {row.name.casefold(): row.id for row in rows}
    made = _made(wanted, found, {row.slug for row in rows}, Named)
    await store(transfers.store_types, made)
    return found


async def _attributes(fetch: Fetch, store: Store, names: Iterable[str]) -> dict[str, uuid.UUID]:
    """Find attributes that variants are chosen by; another kind of the same name is left to its own purpose."""
    wanted = _spellings(names)
    if not wanted:
        return {}
    rows = await fetch(transfers.known_attributes, **_sought(wanted.values()))
    found = {row.name.casefold(): row.id for row in rows if row.is_option}
    made = _made(wanted, found, {row.slug for row in rows}, OptionAttribute)
    await store(transfers.store_attributes, made)
    return found


async def _values(
    fetch: Fetch, store: Store, wanted: Iterable[tuple[uuid.UUID, str]]
) -> dict[tuple[uuid.UUID, str], uuid.UUID]:
    names: dict[uuid.UUID, list[str]] = {}
    for attribute, name in sorted(wanted):
        names.setdefault(attribute, []).append(name)
    if not names:
        return {}
    sought = _sought(name for listed in names.values() for name in listed)
    rows = await fetch(transfers.known_values, attributes=list(names), **sought)
    found: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    made: list[OptionValue] = []
    for attribute, listed in names.items():
        known = [row for row in rows if row.attribute_id == attribute]
        ids = {row.name.casefold(): row.id for row in known}
        new = _made(_spellings(listed), ids, {row.slug for row in known}, Named)
        made.extend(OptionValue(value.id, value.slug, value.name, attribute) for value in new)
        found.update(((attribute, name), value_id) for name, value_id in ids.items())
    await store(transfers.store_values, made)
    return found


async def _categories(fetch: Fetch, store: Store, paths: Iterable[Path]) -> dict[Path, uuid.UUID]:
    """Find categories by the names from the root down; what is missing of a path is made."""
    wanted = {tuple(name.casefold() for name in path): path for path in sorted(paths, reverse=True)}
    if not wanted:
        return {}
    names = {name for path in wanted.values() for name in path}
    whole = {" ".join(path[: depth + 1]) for path in wanted.values() for depth in range(len(path))}
    rows = await fetch(
        transfers.known_categories,
        names=sorted(names),
        slugs=sorted({slug for name in names | whole for slug in candidates(name)}),
    )
    nodes = {
        (row.parent_id, row.name.casefold()): Node(row.id, row.slug, row.name, row.parent_id, row.path) for row in rows
    }
    taken = {row.slug for row in rows}
    made: list[Node] = []
    ids: dict[Path, uuid.UUID] = {}
    for key, path in wanted.items():
        parent: Node | None = None
        for depth, name in enumerate(path):
            place = (parent.id if parent else None, key[depth])
            if place not in nodes:
                nodes[place] = _node(name, path[: depth + 1], parent, taken)
                made.append(nodes[place])
            parent = nodes[place]
        if parent is not None:
            ids[key] = parent.id
    await store(transfers.store_categories, made)
    return ids


def _node(name: str, path: Path, parent: Node | None, taken: set[str]) -> Node:
    """Make a category; where its name is another's slug, all names of its path make one."""
    plain = next(candidates(name))
    slug = plain if plain not in taken else free_slug(" ".join(path), taken)
    taken.add(slug)
    node_id = new_id()
    return Node(node_id, slug, name, parent.id if parent else None, f"{parent.path if parent else ''}{node_id.hex}/")


def _spellings(names: Iterable[str]) -> dict[str, str]:
    """Return one spelling of each name, by its lower case."""
    return {name.casefold(): name for name in sorted(names, reverse=True)}


def _sought(names: Iterable[str]) -> dict[str, Any]:
    listed = sorted(set(names))
    return {"names": listed, "slugs": sorted({slug for name in listed for slug in candidates(name)})}


def _made(
    wanted: Mapping[str, str], found: dict[str, uuid.UUID], taken: set[str], make: Callable[[uuid.UUID, str, str], Any]
) -> list[Any]:
    """Make what was not found, and add it to what was."""
    made = []
    for key, name in wanted.items():
        if key in found:
            continue
        slug = free_slug(name, taken)
        taken.add(slug)
        made.append(make(new_id(), slug, name))
        found[key] = made[-1].id
    return made
