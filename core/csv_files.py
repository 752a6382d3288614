"""CSV files as spreadsheets and shops exchange them: read record by record, written without formulas."""

import csv
import dataclasses
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from core.errors import FileRefused

LONGEST_CELL = 1_000_000
"""Characters; twice what shops allow a description."""

LONGEST_RECORD = 16_000_000
"""Characters; bounds the memory that a quote which is never closed can take."""

DELIMITERS = ",;\t"
"""What separates cells: commas by the standard (RFC 4180), the others by spreadsheets of some countries."""

_PROGRESS_LINES = 1_000
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One record of a file.

    Attributes:
        line: Physical line on which it starts, from 1.
        cells: Empty where there is a problem.
        problem: Why it cannot be used; None where it can.
    """

    line: int
    cells: Sequence[str] = ()
    problem: str | None = None


def lines_of(path: Path, *, advanced: Callable[[int], None]) -> Iterator[str]:
    """Read the physical lines of a UTF-8 file, line ends as they are.

    Args:
        path: A file, or a pipe.
        advanced: Told now and then how many bytes were read.

    Raises:
        FileRefused: The file cannot be read as text; the message says what to do.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FileRefused(f"There is no file {path}: correct its name.") from None
    except OSError as error:
        raise FileRefused(f"Cannot read {path}: {error.strerror}. Give a file that you may read.") from None
    with file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        yield from _lines(text, file, path=path, advanced=advanced)


def records(lines: Iterable[str]) -> Iterator[Record]:
    """Read records from lines; blank ones are left out, and cells that `defused` changed are as they were.

    The delimiter is the one of `DELIMITERS` that gives the first line most cells.

    Args:
        lines: With their line ends; memory stays that of the longest record.

    Raises:
        FileRefused: A quote is never closed, so that nothing behind it can be read.
    """
    counted = _Counted(lines)
    csv.field_size_limit(LONGEST_RECORD)
    reader = csv.reader(counted, delimiter=counted.delimiter(), strict=True)
    while True:
        line = counted.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, problem=counted.explain(error, line))
            continue
        if any(cells):
            yield _record(line, cells, counted)


def defused(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection): with an apostrophe before it.

    An apostrophe that stands there already gets another, so that `restored` can take exactly ours away.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """Return the text that `defused` was given."""
    return text[1:] if _DEFUSED.match(text) else text


class Writer:
    """Writes records as text; cells are defused, and the same cells give the same bytes."""

    __slots__ = ("_buffer", "_quoting", "_writer")

    def __init__(self) -> None:
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, lineterminator="\n")
        self._quoting = csv.writer(self._buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(self, cells: Iterable[str]) -> None:
        """Add a record to the text."""
        row = [defused(cell) for cell in cells]
        # Left to itself, the library forgets that a lone carriage return needs quotes.
        writer = self._quoting if any("\r" in cell for cell in row) else self._writer
        writer.writerow(row)

    def take(self) -> str:
        """Return the text that was added since the last time."""
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text


class _Counted:
    """Lines that remember where the current record began and how long it is."""

    __slots__ = ("_first", "_lines", "_number", "_size", "has_nul")

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        first = next(self._lines, None)
        self._first = None if first is None else first.removeprefix("\ufeff")
        self._number = 0
        self._size = 0
        self.has_nul = False

    def delimiter(self) -> str:
        """Return what separates the cells of the first line."""
        first = self._first or ""
        return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), ())))

    def begin(self) -> int:
        """Return the line on which the next record starts."""
        self._size = 0
        self.has_nul = False
        return self._number + 1

    @property
    def is_long(self) -> bool:
        """Whether the current record may hold a cell that is too long."""
        return self._size > LONGEST_CELL

    def explain(self, error: csv.Error, line: int) -> str:
        """Return what is wrong with a record.

        Raises:
            FileRefused: Its end cannot be found.
        """
        if "unexpected end" in str(error):
            raise FileRefused(
                f"Line {line}: a quote is opened in this row and never closed. "
                "Close it and import again; what was before it is imported."
            )
        return 'The row has a stray quote: write a quote inside quotes twice ("").'

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            line, self._first = self._first, None
        else:
            line = next(self._lines)
        self._size += len(line)
        if self._size > LONGEST_RECORD:
            raise FileRefused(
                f"Line {self._number + 1}: the row that ends here is longer than {LONGEST_RECORD:,} characters. "
                "Look for a quote before it that is never closed."
            )
        self._number += 1
        self.has_nul = self.has_nul or "\0" in line
        return line


def _record(line: int, cells: list[str], counted: _Counted) -> Record:
    if counted.has_nul:
        return Record(line, problem="The row has a NUL byte: remove it, or save the file as UTF-8.")
    if counted.is_long:
        for number, cell in enumerate(cells, 1):
            if len(cell) > LONGEST_CELL:
                return Record(
                    line, problem=f"Cell {number} has {len(cell):,} characters: shorten it to {LONGEST_CELL:,}."
                )
    return Record(line, [restored(cell) if cell.startswith("'") else cell for cell in cells])


def _lines(
    text: io.TextIOWrapper, file: io.BufferedReader, *, path: Path, advanced: Callable[[int], None]
) -> Iterator[str]:
    number = 0
    try:
        # The bound keeps a file without line ends from filling the memory; `records` refuses what is that long.
        while line := text.readline(LONGEST_RECORD + 1):
            yield line
            number += 1
            if number % _PROGRESS_LINES == 0 and file.seekable():
                advanced(file.tell())
        if file.seekable():
            advanced(file.tell())
    except UnicodeDecodeError as error:
        place = _line_of(error, file, path) if file.seekable() else number + 1
        raise FileRefused(
            f"{path} is not UTF-8 (line {place}, byte {error.object[error.start]:#04x}): "
            "save it again as CSV UTF-8 and import that."
        ) from None
    except OSError as error:
        raise FileRefused(f"Cannot read {path}: {error.strerror}. Give a file that you may read.") from None


def _line_of(error: UnicodeDecodeError, file: io.BufferedReader, path: Path) -> int:
    """Return the line of a byte that cannot be read, which lies somewhere in the block that was read last."""
    remaining = file.tell() - len(error.object) + error.start
    line = 1
    with path.open("rb") as raw:
        while remaining > 0 and (block := raw.read(min(remaining, 1 << 20))):
            line += block.count(b"\n")
            remaining -= len(block)
    return line
