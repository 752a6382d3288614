"""Frames as clients write and read them, against another implementation of the same protocol."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from bench.live import frames


def served(payload, opcode=Opcode.TEXT):
    return Frame(opcode, payload).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_message_of_any_length_is_read_as_another_reads_it(size):
    reader = StreamReader()
    reader.feed_data(frames.frame(b"x" * size))
    parsing = Frame.parse(reader.read_exact, mask=True)

    with pytest.raises(StopIteration) as ended:
        next(parsing)

    assert ended.value.value.data == b"x" * size
    assert ended.value.value.opcode is Opcode.TEXT


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_are_taken_apart_wherever_they_were_cut(size):
    data = served(b"a" * size) + served(b"!", Opcode.PING) + served(b"b")
    whole = [(frames.TEXT, b"a" * size), (frames.PING, b"!"), (frames.TEXT, b"b")]

    for cut in {0, 1, 2, 3, 9, size, size + 5, len(data) - 1, len(data)}:
        found, rest = frames.split(data[:cut])
        more, left = frames.split(rest + data[cut:])
        assert found + more == whole
        assert left == b""


def test_what_follows_the_upgrade_is_not_lost():
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

    assert frames.after_upgrade(answer + b"\x81\x00") == b"\x81\x00"
    assert frames.after_upgrade(answer[:-1]) is None


def test_a_server_that_refuses_is_quoted():
    with pytest.raises(frames.NotUpgraded, match=r"HTTP/1\.1 403 Forbidden"):
        frames.after_upgrade(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
