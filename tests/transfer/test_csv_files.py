"""CSV as it is met: odd line ends, delimiters, quotes, encodings."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_files import LONGEST_RECORD, Record, Writer, defused, lines_of, records, restored
from core.errors import FileRefused

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(texts)
def test_defusing_is_undone_exactly(text):
    assert restored(defused(text)) == text
    assert defused(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


@given(st.lists(st.lists(texts, min_size=2, max_size=4).filter(any), min_size=1, max_size=5))
def test_what_is_written_is_read(tmp_path_factory, rows):
    writer = Writer()
    for row in rows:
        writer.write(row)
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_text("Handle,Title\n" + writer.take(), encoding="utf-8", newline="")

    [_, *found] = records(lines_of(path, advanced=lambda _: None))

    assert [list(record.cells) for record in found] == rows


@given(
    rows=st.lists(
        st.lists(texts.map(lambda text: text.replace("'", "")), min_size=2, max_size=2).filter(any), max_size=4
    ),
    dialect=st.fixed_dictionaries(
        {
            "delimiter": st.sampled_from(",;\t"),
            "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
            "quoting": st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
        }
    ),
    byte_order_mark=st.sampled_from(["", "\ufeff"]),
)
def test_other_dialects(tmp_path_factory, rows, dialect, byte_order_mark):
    if dialect["quoting"] == csv.QUOTE_MINIMAL:
        # The library does not quote line ends that are not its own.
        rows = [row for row in ([re.sub("[\r\n]", "", cell) for cell in row] for row in rows) if any(row)]
    written = io.StringIO(newline="")
    csv.writer(written, **dialect).writerows([["Handle", "Title"], *rows])
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_text(byte_order_mark + written.getvalue(), encoding="utf-8", newline="")

    found = [list(record.cells) for record in records(lines_of(path, advanced=lambda _: None))]

    assert found == [["Handle", "Title"], *rows]


def test_blank_lines_are_left_out_and_counted():
    found = list(records(["a,b\n", "\n", ",\n", "1,2\n"]))

    assert found == [Record(1, ["a", "b"]), Record(4, ["1", "2"])]


def test_a_record_knows_where_it_starts():
    found = list(records(["a,b\n", '1,"x\n', "y\n", 'z"\n', "2,w\n"]))

    assert [record.line for record in found] == [1, 2, 5]
    assert found[1].cells == ["1", "x\ny\nz"]


def test_memory_is_that_of_a_record():
    def endless():
        yield "a,b\n"
        yield '"'
        while True:
            yield "x" * 1_000

    with pytest.raises(FileRefused, match=f"longer than {LONGEST_RECORD:,} characters"):
        list(records(endless()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Handle,Title\na,A\nb,Caf\xe9\n", r"is not UTF-8 \(line 3, byte 0xe9\): save it again as CSV UTF-8"),
        ("Handle,Title\n".encode("utf-16"), r"is not UTF-8 \(line 1, byte 0xff\)"),
        (b"x\n" * 20_000 + b"\xff", r"line 20001"),
    ],
)
def test_other_encodings(tmp_path, content, reason):
    path = tmp_path / "file.csv"
    path.write_bytes(content)

    with pytest.raises(FileRefused, match=reason):
        list(lines_of(path, advanced=lambda _: None))


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileRefused, match="There is no file"):
        next(lines_of(tmp_path / "none.csv", advanced=lambda _: None))
    with pytest.raises(FileRefused, match="Cannot read"):
        next(lines_of(tmp_path, advanced=lambda _: None))


def test_progress_reaches_the_end(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("é\n" * 2_500, encoding="utf-8")
    told = []

    assert len(list(lines_of(path, advanced=told.append))) == 2_500
    assert told[-1] == path.stat().st_size
    assert told == sorted(told)
