"""`python -m server import`: brings products in from a file."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import asyncpg
import sqlalchemy.exc
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from core.csv_files import Writer, lines_of
from core.errors import ConfigurationError, ConstraintViolated, Contended, FileRefused
from core.settings import Settings, load_settings
from models import transfers
from resolvers.transfer.cells import Note
from resolvers.transfer.imports import Summary, import_products
from server import postgresql
from server.cli.databases import opened
from server.cli.tenants import STATEMENT_SECONDS, tenant_of

app = typer.Typer(help="Bring data in from files.", no_args_is_help=True)

SHOWN_NOTES = 20
"""Notes that are printed; a report has all of them."""

REFUSED = 1
"""Exit code where rows were refused."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


@app.callback()
def imports() -> None:
    """Bring data in from files."""


@app.command("products")
def products(
    file: Annotated[Path, typer.Argument(help="Product CSV as Shopify exports it.")],
    *,
    shop: Annotated[str, typer.Option(help="The shop, by its slug.")],
    report: Annotated[Path | None, typer.Option(help="Write refused rows, with line and reason, as CSV here.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and write nothing.")] = False,
) -> None:
    """Import products; a second import of the same file changes nothing.

    Ends with 0 when all is well, 1 when rows were refused, 2 when the file or the shop cannot be used.
    """
    if report is not None and report.exists() and file.exists() and report.samefile(file):
        raise ConfigurationError("The report would overwrite the file: give --report another name.")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with contextlib.ExitStack() as stack:
        watch = _Watch(console, stack.enter_context(_report(report)) if report else None)
        settings = stack.enter_context(postgresql.provided(load_settings(os.environ)))
        stack.callback(watch.conclude, is_rehearsal=dry_run)
        with _told(watch):
            asyncio.run(_import(settings, file, shop, watch, is_rehearsal=dry_run))
            watch.is_done = True
    if watch.total.refused:
        sys.exit(REFUSED)


class _Watch:
    """Shows an import while it runs, and keeps what it noted."""

    def __init__(self, console: Console, report: "_Report | None") -> None:
        self.total = Summary()
        self.is_done = False
        self._console = console
        self._report = report
        self._shown = 0
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, TextColumn("{task.fields[speed]}"), console=console)
        self._task: TaskID | None = None

    def begin(self, file: Path) -> None:
        """Start the bar; a pipe has no length."""
        size = file.stat().st_size if file.is_file() else None
        self._task = self.bar.add_task("Importing", total=size, speed="")

    def advanced(self, size: int) -> None:
        """Show how many bytes were read."""
        if self._task is not None:
            self.bar.update(self._task, completed=size)

    def stored(self, total: Summary, notes: Sequence[Note]) -> None:
        """Show and keep what a batch came to."""
        self.total = total
        if self._task is not None:
            elapsed = self.bar.tasks[0].elapsed
            self.bar.update(self._task, speed=f"{total.rows / elapsed:,.0f} rows/s" if elapsed else "")
        for note in notes:
            if self._report is not None:
                self._report.write(note)
            if self._shown < SHOWN_NOTES:
                self._console.print(_line(note), markup=False)
                self._shown += 1

    def conclude(self, *, is_rehearsal: bool) -> None:
        """Show what the import came to, if it came to anything."""
        total = self.total
        if not (self.is_done or total.rows):
            return
        more = total.refused + total.corrected - self._shown
        if more:
            hint = "" if self._report else "; --report FILE writes them all"
            self._console.print(f"… and {more:,} more{hint}.")
        table = Table("", "created", "updated", "unchanged", box=None, title_justify="left")
        for name, count in (("products", total.products), ("variants", total.variants), ("images", total.images)):
            table.add_row(name, f"{count.created:,}", f"{count.updated:,}", f"{count.unchanged:,}")
        console = Console(highlight=False)
        console.print(table)
        console.print(f"{total.rows:,} rows read, {total.refused:,} refused, {total.corrected:,} corrected.")
        if is_rehearsal:
            console.print("This was a dry run: nothing was written.")


class _Report:
    """A file of notes, written as they come."""

    def __init__(self, path: Path) -> None:
        self._writer = Writer()
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer.write(("line", "handle", "outcome", "reason"))

    def write(self, note: Note) -> None:
        """Add a note."""
        self._writer.write((str(note.line), note.handle, "refused" if note.is_refusal else "corrected", note.reason))
        self._file.write(self._writer.take())

    def close(self) -> None:
        """End the file."""
        self._file.write(self._writer.take())
        self._file.close()


@contextlib.contextmanager
def _report(path: Path) -> Iterator[_Report]:
    try:
        report = _Report(path)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {path}: {error.strerror}. Give --report another name.") from None
    with contextlib.closing(report):
        yield report


@contextlib.contextmanager
def _told(watch: _Watch) -> Iterator[None]:
    """Turn what ends an import early into one line."""
    try:
        yield
    except FileRefused as error:
        raise ConfigurationError(str(error)) from None
    except (ConstraintViolated, Contended, sqlalchemy.exc.DBAPIError, asyncpg.PostgresError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"The database refused a batch ({reason}); the {watch.total.rows:,} rows before it are imported. "
            "Import the file again."
        ) from error
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. What was stored is whole; import the file again to go on.")
        sys.exit(INTERRUPTED)


async def _import(settings: Settings, file: Path, shop: str, watch: _Watch, *, is_rehearsal: bool) -> None:
    is_first = True

    async def progress(total: Summary, notes: Sequence[Note]) -> None:
        nonlocal is_first
        watch.stored(total, notes)
        if is_first and not is_rehearsal:
            await _gather_statistics(settings)
        is_first = False

    async with opened(settings) as database:
        tenant = await tenant_of(database, shop, statement_timeout_seconds=STATEMENT_SECONDS)
        with watch.bar:
            watch.begin(file)
            lines = lines_of(file, advanced=watch.advanced)
            await import_products(tenant, lines, progress=progress, is_rehearsal=is_rehearsal)
    if not is_rehearsal:
        await _gather_statistics(settings)


async def _gather_statistics(settings: Settings) -> None:
    """Let the planner know the tables; where we may not, the database does it in its own time."""
    with contextlib.suppress(asyncpg.PostgresError, OSError):
        connection = await asyncpg.connect(postgresql.owner_url(settings))
        try:
            await connection.execute(transfers.gather_statistics)
        finally:
            await connection.close()


def _line(note: Note) -> str:
    """Return a note for people; a file's control characters must not reach the terminal."""
    text = f"line {note.line} · {note.handle[:60]}: {note.reason}"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
