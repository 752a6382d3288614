"""Transcripts of runs are the same whatever was generated in them, and differ otherwise."""

import orjson
import pytest

from tests.replaying import Transcript

ONE = {"id": "UHJvZHVjdDoBofwegWl0d-0q2sNg", "at": "2026-01-31T12:00:00.123Z", "slug": "shop-a00e78cfdf6ac938"}
OTHER = {"id": "UHJvZHVjdDoBofwegWl0d-9999Ng", "at": "2026-01-31T12:00:01Z", "slug": "shop-b9226ec8a2eceb23"}


def leave(folder, executor, *answers):
    transcript = Transcript(folder, "test", executor)
    for answer in answers:
        transcript.note(orjson.dumps(answer))
    transcript.compare()


def data(**fields):
    return {"data": {"made": fields}}


def failed(path, **changed):
    error = {"message": "No.", "path": path, "extensions": {"code": "FORBIDDEN", "requestId": "any"}} | changed
    return {"data": None, "errors": [error]}


def test_what_is_generated_makes_no_difference(tmp_path):
    leave(tmp_path, "reference", data(**ONE), data(id=ONE["id"], name="Lamp"), failed(["a", ONE["id"]]))
    leave(tmp_path, "compiled", data(**OTHER), data(id=OTHER["id"], name="Lamp"), failed(["a", OTHER["id"]]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((data(name="Lamp"),), (data(name="Lamb"),), id="value"),
        pytest.param((data(a=1, b=2),), (data(b=2, a=1),), id="order"),
        pytest.param((data(**ONE), data(id=ONE["id"])), (data(**ONE), data(id=OTHER["id"])), id="another row"),
        pytest.param((data(name="Lamp"),), (data(name="Lamp"), data(name="Lamp")), id="count"),
        pytest.param((failed(["a"]),), (failed(["a", "b"]),), id="path"),
        pytest.param((failed(["a"]),), (failed(["a"], message="Never."),), id="message"),
        pytest.param((failed(["a"]),), (failed(["a"], locations=[{"line": 1, "column": 2}]),), id="place"),
    ],
)
def test_all_else_does(tmp_path, one, other):
    leave(tmp_path, "reference", *one)
    with pytest.raises(AssertionError):
        leave(tmp_path, "compiled", *other)
