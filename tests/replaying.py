"""Lets the tests compare executors: queries are asked again of each, and tests of mutations are run by each.

A mutation cannot be asked again, since its second run is another one. A test makes its own shop, though, so that the
whole of it can be run again; what each run was answered is told alike, whatever ids and times its rows have got.
"""

import collections
import dataclasses
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

EXECUTORS = ("reference", "loaders", "compiled")

MUTATING_EXECUTORS = ("reference", "compiled")
"""Nothing of a mutation is folded, so that the plan with folding and the one without are the same."""

_GENERATED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)|[0-9A-Za-z_-]{22,}|[0-9a-fA-F]{8,}")
"""Times; ids, cursors and digests; what factories make of random numbers."""

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


@dataclasses.dataclass(frozen=True, slots=True)
class Transcript:
    """What one run of a test was answered.

    Attributes:
        folder: Where the transcripts of all runs are; several processes write into it.
        name: Of the test.
        executor: Who executed its mutations.
        answers: To its mutations, in their order.
    """

    folder: Path
    name: str
    executor: str
    answers: list[bytes] = dataclasses.field(default_factory=list)

    def note(self, body: bytes) -> None:
        """Add an answer."""
        data, errors = _told(body)
        self.answers.append(data + orjson.dumps(errors))

    def compare(self) -> None:
        """Leave the transcript behind, and compare it with those of other executors that are there by now.

        Raises:
            AssertionError: One is another.
        """
        own = _without_generated(b"\n".join(self.answers).decode())
        self._file(self.executor).write_text(own)
        for other in MUTATING_EXECUTORS:
            if other != self.executor and self._file(other).exists():
                assert self._file(other).read_text() == own, f"{other} and {self.executor} differ"
                counted["mutations"] += len(self.answers)

    def _file(self, executor: str) -> Path:
        return self.folder / f"{self.name}.{executor}"


def _without_generated(text: str) -> str:
    """Return a text with the numbers of generated values, in the order in which they come up, in their place."""
    numbers: dict[str, int] = {}
    return _GENERATED.sub(lambda found: f"<{numbers.setdefault(found[0], len(numbers))}>", text)


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
            f"{counted['compiled']} compiled; {counted['mutations']} mutations executed by both"
        )
