"""Reads a field of all parents of a level, and waits for what has to be waited for."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from graphql.pyutils import Path, is_awaitable

from engine.leaves import PLAIN
from engine.plans import Field
from engine.state import State

Paths = Sequence[Path | None] | None
"""Where each object of a level is; None where nobody below may ask."""


async def values_of(field: Field, sources: Sequence[Any], state: State, paths: Paths, root: str) -> Sequence[Any]:
    """Return the value of a field for each parent, `Failed` where it could not be read.

    Raises:
        Exception: A batch, or the arguments, failed, and with them the field of every parent.
    """
    if field.loading is not None:
        loaded: Sequence[Any] = await _loaded(field, sources, state, root)
        return loaded
    values = _read(field, sources, state, paths)
    return values if field.is_settled else await settled(values, state)


async def _loaded(field: Field, sources: Sequence[Any], state: State, root: str) -> Any:
    loading = field.loading
    assert loading is not None  # noqa: S101  (narrows the type)
    key = loading.key
    keys = [getattr(source, key) for source in sources]
    arguments = loading.arguments(state)
    context = state.context
    if field.is_last:
        context.reads_no_more_than(loading.relation)
    try:
        return await context.load_list(loading.relation, keys, root, arguments, alone=field.is_alone)
    except Exception as error:  # noqa: BLE001  (it is the error of all that was asked for)
        return [None if key is None else state.fail(error) for key in keys]


def _read(field: Field, sources: Sequence[Any], state: State, paths: Paths) -> list[Any]:
    """Read a field of each parent, without waiting for anything."""
    if field.read is not None:
        values = []
        for position, source in enumerate(sources):
            try:
                value = field.read(source)
                if not field.is_settled and callable(value) and type(value) not in PLAIN:
                    # graphql-core's default resolver calls what it finds.
                    value = value(_info(field, state, paths, position), **_arguments(field, state))
            except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
                value = state.fail(error)
            values.append(value)
        return values
    resolve, arguments = field.resolve, _arguments(field, state)
    assert resolve is not None  # noqa: S101  (narrows the type)
    values = []
    for position, source in enumerate(sources):
        try:
            value = resolve(source, _info(field, state, paths, position), **arguments)
        except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
            value = state.fail(error)
        values.append(value)
    return values


def _arguments(field: Field, state: State) -> Any:
    return field.arguments(state) if field.arguments is not None else {}


def _info(field: Field, state: State, paths: Paths, position: int) -> Any:
    path = paths[position] if paths is not None else None
    return state.info(field, path or Path(None, field.key, field.parent.name))


async def read_stream(stream: AsyncIterable[Any], elements: list[Any], *, takes_null: bool) -> None:
    """Append the elements of a stream, up to one that leaves nothing of the list; the stream is closed then."""
    iterator: Any = stream.__aiter__()
    async for element in iterator:
        elements.append(element)
        if not takes_null and (element is None or isinstance(element, Exception)):
            with suppress(Exception):
                # Generators have this; that others have it not is suppressed too.
                await iterator.aclose()
            return


async def settled(values: list[Any], state: State) -> list[Any]:
    """Wait for what has to be waited for, all of it at the same time."""
    waiting = [position for position, value in enumerate(values) if type(value) not in PLAIN and is_awaitable(value)]
    if not waiting:
        return values
    if len(waiting) == 1:
        # In this task: a resolver that sets a time limit, or opens a task group, does so in the task that it runs in.
        position = waiting[0]
        try:
            values[position] = await values[position]
        except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
            values[position] = state.fail(error)
        return values
    for position, result in zip(waiting, await _gathered([values[each] for each in waiting]), strict=True):
        values[position] = state.fail(result) if isinstance(result, Exception) else result
    return values


async def _gathered(awaitables: Sequence[Awaitable[Any]]) -> list[Any]:
    """Await all, and return their results and exceptions; a cancellation goes on to the caller and takes all along."""
    futures = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        results = await asyncio.gather(*futures, return_exceptions=True)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
    return results


async def together(steps: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run steps that may wait for each other; a failing one, which only the process can cause, ends all."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
