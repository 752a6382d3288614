"""Hostile documents leave nothing behind."""

import gc
import os
from itertools import cycle
from pathlib import Path

from engine.documents import DocumentStore
from schema.build import build
from tests.engine.test_attacks import ATTACKS, REFUSED_OTHERWISE

DOCUMENTS = int(os.environ.get("GALLERIA_HOSTILE_DOCUMENTS", "20000"))
"""100,000 and more for those who have two minutes."""

LONGEST = 20_000
ALLOWED_BYTES = 8_000_000
"""What the allocator may keep in between; 100,000 records of the shortest documents here would be 100 MB."""


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_memory_stays_flat_under_a_flood_of_hostile_documents():
    """Each text is new: a comment in front makes it so, and keeps it as long as it was."""
    hostile = [text for text, _ in [*ATTACKS.values(), *REFUSED_OTHERWISE.values()] if len(text) <= LONGEST]
    valid = ["{ shop { slug } }", "query ($n: Int) { products(first: $n) { nodes { id category { id } } } }"]
    store = DocumentStore(build(), size=300)
    texts = cycle([*hostile, *valid])

    def flood(numbers: range) -> None:
        for number in numbers:
            store.get(f"#{number:09}\n{next(texts)}")

    # Both stores fill first: 300 good documents come with 7,500 others.
    flood(range(DOCUMENTS // 2))
    gc.collect()
    before = resident_bytes()
    flood(range(DOCUMENTS // 2, DOCUMENTS))
    gc.collect()
    assert resident_bytes() - before < ALLOWED_BYTES
    assert store.statistics.refused > DOCUMENTS * 0.9
    assert len(store) <= 500
