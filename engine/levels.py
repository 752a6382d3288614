"""Runs a plan breadth first: all objects of a level together, each field of them once."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, GraphQLOutputType
from graphql.pyutils import Path, Undefined, is_iterable

from engine.folding import Bail
from engine.layouts import Carried
from engine.leaves import Unusual
from engine.object_types import by_type, checked_types
from engine.outcomes import rises
from engine.plans import Carrying, Field, Plan, Selection
from engine.reading import Paths, read_stream, settled, together, values_of
from engine.state import Failed, State

_MISSES_ALLOWED = 16
"""Levels in a row whose objects could not be built at once, until it is tried less: some resolvers are functions."""

_TRIED_AGAIN = 64
"""After how many levels it is tried again all the same: what was wrong may have been data."""


async def run_plan(plan: Plan, state: State) -> dict[str, Any]:
    """Run an operation and return its response, in which positions may hold `Failed`."""
    if not plan.is_serial:
        outs = await run_selection(plan.root, [state.root_value], state, [None], root=None)
        return outs[0]
    out: dict[str, Any] = dict.fromkeys(plan.root.keys)
    out.update(dict.fromkeys(plan.root.typenames, plan.root.type.name))
    for field in plan.root.fields:
        # One after the other, each to its end (GraphQL specification, 6.2.2).
        await run_field(field, [state.root_value], [out], state, [None], field.key)
        if state.failed and rises(field, field.type, out[field.key], state):
            # Nobody will see what those after it bring, so they do nothing.
            break
    return out


async def run_selection(
    selection: Selection, sources: Sequence[Any], state: State, paths: Paths, *, root: str | None
) -> list[dict[str, Any]]:
    """Make the response objects of all parents of a level.

    Args:
        selection: What is asked of them.
        sources: The parents.
        state: Of the execution.
        paths: Where they are.
        root: Response key of the root field above; None for the root itself.
    """
    if selection.is_carried:
        outs, fields = _built_of_carried(selection, sources, state.carried[root or ""].arguments), selection.later
    else:
        outs, fields = _built(selection, sources, state)
    if not fields:
        return outs
    if len(fields) == 1:
        await run_field(fields[0], sources, outs, state, paths, root or fields[0].key)
        return outs
    await together([run_field(field, sources, outs, state, paths, root or field.key) for field in fields])
    return outs


def _built_of_carried(selection: Selection, rows: Sequence[Any], arguments: Sequence[Any]) -> list[dict[str, Any]]:
    """Make the objects of rows together with all that they carry.

    Raises:
        Bail: Some value is not as it should be.
    """
    assert selection.build is not None  # noqa: S101  (narrows the type)
    try:
        return selection.build(rows, arguments)
    except Exception as error:
        raise Bail from error


def _built(selection: Selection, sources: Sequence[Any], state: State) -> tuple[list[dict[str, Any]], list[Field]]:
    """Return the objects as far as they can be made at once, and the fields that are left."""
    if selection.build is not None and (selection.misses < _MISSES_ALLOWED or selection.misses % _TRIED_AGAIN == 0):
        try:
            built = selection.build(sources)
        except Exception as error:  # noqa: BLE001  (whatever a value's owner raises: all is read again, with care)
            if isinstance(error, Unusual):
                state.unused.append(error.value)
        else:
            selection.misses = 0
            return built, selection.later
    selection.misses += 1
    outs: list[dict[str, Any]] = [dict.fromkeys(selection.keys) for _ in sources]
    for key in selection.typenames:
        for out in outs:
            out[key] = selection.type.name
    return outs, selection.fields


async def run_field(  # noqa: PLR0913, PLR0917  (called once for each field of a level, with all that it needs)
    field: Field,
    sources: Sequence[Any],
    outs: list[dict[str, Any]],
    state: State,
    paths: Paths,
    root: str,
) -> None:
    """Read and complete a field of all parents of a level, and put the responses into their objects."""
    own = [Path(path, field.key, field.parent.name) for path in paths] if paths is not None else None
    carried = None if field.carrying is None else _carry(field, field.carrying, state)
    try:
        if field.guard is not None:
            field.guard(state.context)
        values = await values_of(field, sources, state, own, root)
    except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
        values = [state.fail(error) for _ in sources]
    if carried is not None and is_there(values[0]) != carried.used and values[0] is not None:
        # Either what came has nothing with it, or the error may be of what was to come with it.
        raise Bail
    key = field.key
    if carried is not None and field.carrying is not None and field.carrying.complete and is_there(values[0]):
        outs[0][key] = _completed_whole(field.carrying.complete, values[0], carried)
        return
    completed = await complete(field.type, values, field, state, own, root)
    for out, value in zip(outs, completed, strict=True):
        out[key] = value


def _completed_whole(make: Callable[[Any, Sequence[Any]], Any], value: Any, carried: Carried) -> Any:
    """Make the whole response of a root field.

    Raises:
        Bail: Some value is not as it should be.
    """
    try:
        return make(value, carried.arguments)
    except Exception as error:
        raise Bail from error


def _carry(field: Field, carrying: Carrying, state: State) -> Carried:
    """Say what the statement of a root field has to bring.

    Raises:
        Bail: Some argument is refused; which of them, and where, the plan without folding finds out.
    """
    try:
        arguments = [slot(state) for slot in carrying.slots]
    except Exception as error:
        raise Bail from error
    carried = Carried(carrying.wanted, arguments, carrying.is_whole)
    state.carried[field.key] = state.context.carried[field.key] = carried
    return carried


async def complete(  # noqa: PLR0913, PLR0917  (called once for each field of a level, with all that it needs)
    type_: GraphQLOutputType, values: Sequence[Any], field: Field, state: State, paths: Paths, root: str
) -> list[Any]:
    """Turn the values of a field into responses (GraphQL specification, 6.4.3).

    Args:
        type_: Of the values: the field's own, or that of its elements.
        values: In their order; may hold `Failed`.
        field: Whose values.
        state: Of the execution.
        paths: Where each value is.
        root: Response key of the root field above.

    Returns:
        A response for each value; null and `Failed` are kept, and where they may not be the state knows of a failure.
    """
    own: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(own, GraphQLList):
        completed = await _complete_lists(own, values, field, state, paths, root)
    elif field.complete_leaf is not None:
        completed = [_completed_leaf(value, field, state) for value in values]
    else:
        completed = await _complete_objects(own, values, field, state, paths, root)
    if own is not type_ and None in completed:
        state.failed = True
    return completed


def _completed_leaf(value: Any, field: Field, state: State) -> Any:
    if value is None or value is Undefined:
        return None
    if type(value) is Failed:
        return value
    if isinstance(value, Exception):
        return state.fail(value)
    try:
        return field.complete_leaf(value)  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
        return state.fail(error)


async def _complete_lists(  # noqa: PLR0913, PLR0917  (see `complete`)
    type_: GraphQLList[Any], values: Sequence[Any], field: Field, state: State, paths: Paths, root: str
) -> list[Any]:
    """Complete the elements of all lists as one level, and divide the responses again."""
    elements: list[Any] = []
    lengths: list[Any] = []
    for value in values:
        listed = value if type(value) is list else await _listed(value, type_, field, state)
        if type(listed) is list:
            elements += listed
            lengths.append(len(listed))
        else:
            lengths.append(listed)
    below = _paths_of_elements(paths, lengths) if paths is not None else None
    if field.loading is None and not field.is_settled:
        elements = await settled(elements, state)
    completed = await complete(type_.of_type, elements, field, state, below, root)
    divided: list[Any] = []
    start = 0
    for length in lengths:
        if type(length) is int:
            divided.append(completed[start : start + length])
            start += length
        else:
            divided.append(length)
    return divided


def _paths_of_elements(paths: Sequence[Path | None], lengths: Sequence[Any]) -> list[Path | None]:
    return [
        Path(path, number, None)
        for path, length in zip(paths, lengths, strict=True)
        if type(length) is int
        for number in range(length)
    ]


async def _listed(value: Any, type_: GraphQLList[Any], field: Field, state: State) -> Any:
    """Return a value as a list; null and `Failed` as they are."""
    if not is_there(value):
        return _absent(value, state)
    elements: list[Any] = []
    try:
        if hasattr(value, "__aiter__"):
            await read_stream(value, elements, takes_null=not isinstance(type_.of_type, GraphQLNonNull))
            return elements
        if is_iterable(value):
            elements.extend(value)
            return elements
    except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
        state.unused.append(elements)
        return state.fail(error)
    return state.fail(GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent}.{field.name}'."))


async def _complete_objects(  # noqa: PLR0913, PLR0917  (see `complete`)
    type_: Any, values: Sequence[Any], field: Field, state: State, paths: Paths, root: str
) -> list[Any]:
    good = [position for position, value in enumerate(values) if is_there(value)]
    completed: list[Any] = [_absent(value, state) for value in values] if len(good) < len(values) else list(values)
    if not good:
        return completed
    if field.abstract:
        groups = await by_type(type_, values, good, completed, field, state, paths)
    else:
        groups = [(type_, good)]
    for object_type, positions in groups:
        assert field.selection_of is not None  # noqa: S101  (narrows the type)
        selection = field.selection_of(object_type)
        checked = positions
        if not selection.is_trusted:
            checked = await checked_types(object_type, values, positions, completed, field, state, paths)
        sources = [values[position] for position in checked]
        below = [paths[position] for position in checked] if paths is not None and selection.needs_paths else None
        outs = await run_selection(selection, sources, state, below, root=root)
        for position, out in zip(checked, outs, strict=True):
            completed[position] = out
            if field.abstract:
                state.chosen[id(out)] = selection
    return completed


def is_there(value: Any) -> bool:
    """Tell whether a value is neither null nor a failure."""
    return (
        value is not None and type(value) is not Failed and value is not Undefined and not isinstance(value, Exception)
    )


def _absent(value: Any, state: State) -> Any:
    if isinstance(value, Exception):
        return state.fail(value)
    return None if value is Undefined else value
