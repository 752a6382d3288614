"""Asks every query of the tests again of each executor, and counts how many that were.

Mutations are not replayed: their second run is another one.
"""

import collections
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

EXECUTORS = ("reference", "loaders", "compiled")

counted: collections.Counter[str] = collections.Counter()


def may_be_replayed(query: str) -> bool:
    """Tell whether a document holds queries and nothing else."""
    try:
        definitions = parse(query).definitions
    except GraphQLError:
        return False
    operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    return bool(operations) and all(each.operation is OperationType.QUERY for each in operations)


async def replay(query: str, first: bytes, ask: Callable[[str], Awaitable[httpx.Response]]) -> None:
    """Ask again, and compare all answers with graphql-core's.

    Args:
        query: The document.
        first: The answer that the test is given.
        ask: Takes an executor and returns its answer.

    Raises:
        AssertionError: An answer is another one.
    """
    expected = _told((await ask("reference")).content)
    for executor in EXECUTORS[1:]:
        assert _told((await ask(executor)).content) == expected, f"{executor} differs from graphql-core:\n{query}"
        counted[executor] += 1
    assert _told(first) == expected, f"the answer differs from graphql-core's:\n{query}"
    counted["queries"] += 1


def _told(body: bytes) -> tuple[bytes, list[Any]]:
    """Return the data byte for byte and the errors without what differs from one request to the next."""
    answer = orjson.loads(body)
    errors = [
        (each.get("path"), each["message"], each.get("locations"), each["extensions"]["code"])
        for each in answer.get("errors", ())
    ]
    return orjson.dumps(answer.get("data")), sorted(errors, key=repr)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that distributes the tests how many queries this one has replayed."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["replayed"] = dict(counted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a worker has replayed."""
    counted.update(getattr(node, "workeroutput", {}).get("replayed", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many queries were replayed."""
    if counted:
        terminalreporter.write_line(
            f"{counted['queries']} queries replayed by graphql-core, {counted['loaders']} by loaders, "
            f"{counted['compiled']} compiled"
        )
