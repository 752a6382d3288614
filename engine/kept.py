"""A bounded store of the records of documents, the least recently used leaving first."""

import dataclasses
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclasses.dataclass(slots=True)
class Statistics:
    """What became of the documents that were asked for.

    Attributes:
        hits: Found.
        misses: Made, and good.
        refused: Made, and found to be wrong.
        evictions: Records that left to make room.
    """

    hits: int = 0
    misses: int = 0
    refused: int = 0
    evictions: int = 0


class Kept(Generic[T]):
    """Records by their text.

    Args:
        size: Records at most.
        weight: Of all records together.
        statistics: Where evictions are counted.
    """

    def __init__(self, size: int, weight: int, statistics: Statistics) -> None:
        self._size = size
        self._allowed = weight
        self._weight = 0
        self._records: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._statistics = statistics

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, text: str) -> bool:
        return text in self._records

    def get(self, text: str) -> T | None:
        """Return the record of a text; None where there is none."""
        found = self._records.get(text)
        if found is None:
            return None
        self._records.move_to_end(text)
        return found[0]

    def keep(self, text: str, record: T, weight: int) -> None:
        """Keep a record, and let go of others where there is no room."""
        self._records[text] = record, weight
        self._weight += weight
        while len(self._records) > self._size or self._weight > self._allowed:
            _, (_, dropped) = self._records.popitem(last=False)
            self._weight -= dropped
            self._statistics.evictions += 1
