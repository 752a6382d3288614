"""Keeps what was found out in the documentation: the lifecycle of a release, and figures beside other charts."""

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "kubernetes.md"


def block(page: str, name: str) -> str:
    """Return what a page has between the marks of a block.

    Raises:
        ValueError: The page has no such marks.
    """
    return page[slice(*_bounds(page, name))]


def filled(page: str, name: str, text: str) -> str:
    """Return a page with another text in one of its blocks."""
    start, end = _bounds(page, name)
    return f"{page[:start]}{text}{page[end:]}"


def _bounds(page: str, name: str) -> tuple[int, int]:
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"The page needs the lines '{begin.strip()}' and '{end}', which hold what is filled in.")
    return page.index(begin) + len(begin), page.index(end)
