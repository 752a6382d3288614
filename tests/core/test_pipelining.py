"""What is written to the driver's socket, and with which drivers."""

import struct

import asyncpg
import pytest

from core import pipelining


def test_the_installed_driver_is_known():
    assert asyncpg.__version__ in pipelining.KNOWN_VERSIONS, (
        "Read asyncpg's protocol.pyx (bind_execute, _wait_for_cancellation) for changes, run tests/core with the"
        " version added to core.pipelining.KNOWN_VERSIONS, and keep it there when they pass."
    )


@pytest.mark.parametrize("width", [4, 37, 0x2525])  # 37 is the character %.
def test_messages_are_as_the_protocol_has_them(width):
    value = b"v" * width

    sent = pipelining.messages("name", ("%b", width), ("%6d", 6)) % (value, 42)

    parameters = struct.pack(">h i", 2, width) + value + struct.pack(">i", 6) + b"    42"
    bind = b"\0name\0" + struct.pack(">h", 0) + parameters + struct.pack(">h", 0)
    execute = b"\0" + struct.pack(">i", 0)
    assert sent == b"B" + struct.pack(">i", 4 + len(bind)) + bind + b"E" + struct.pack(">i", 9) + execute


async def test_several_statements_run_before_one_sync(postgres):
    connection = await asyncpg.connect(postgres.app_url)
    first = await connection.prepare("SELECT WHERE set_config('app.one', $1, true) IS NULL", name="first")
    second = await connection.prepare("SELECT current_setting('app.one', true) AS one, $1::int AS two")
    await connection.execute("SELECT")
    behind = pipelining.messages("first", ("%b", 5)) % b"value"

    rows = await pipelining.fetch(connection, second, [2], behind=behind)
    after = await pipelining.fetch(connection, second, [3])

    assert [tuple(row) for row in rows] == [("value", 2)]
    assert [tuple(row) for row in after] == [("", 3)]
    assert first.get_name() == "first"
    await connection.close()
