"""Misuses of the protocol: each is answered by a code of its own, and harms nobody else."""

import asyncio
import json
import os
import struct
from urllib.parse import urlsplit

import pytest

from tests.api.live.sockets import PROTOCOL, SHOP_NAME, refused, socket

INIT = {"type": "connection_init"}
DEEP = '{"type":"ping","payload":' + '{"a":' * 70 + "1" + "}" * 70 + "}"
DEEPER = "[" * 100_000
SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}

BEFORE_INIT = {
    "no JSON": ("", 4400),
    "half of an object": ('{"type":"ping"', 4400),
    "a number": ("1", 4400),
    "null": ("null", 4400),
    "an array": ('[{"type":"connection_init"}]', 4400),
    "a text": ('"connection_init"', 4400),
    "no type": ("{}", 4400),
    "type that is null": ('{"type":null}', 4400),
    "type that is a number": ('{"type":1}', 4400),
    "type that cannot be hashed": ('{"type":[]}', 4400),
    "type that is an object": ('{"type":{}}', 4400),
    "unknown type": ('{"type":"start","id":"1"}', 4400),
    "type of the legacy protocol": ('{"type":"connection_terminate"}', 4400),
    "message of the server": ('{"type":"connection_ack"}', 4400),
    "next from the client": ('{"type":"next","id":"1","payload":{}}', 4400),
    "not a number": ('{"type":"ping","payload":NaN}', 4400),
    "half of a character": ('{"type":"\\ud800"}', 4400),
    "too deep": (DEEP, 4400),
    "far too deep": (DEEPER, 4400),
    "bytes": (b'{"type":"connection_init"}', 4400),
    "no bytes": (b"", 4400),
    "init with a text": ('{"type":"connection_init","payload":"token"}', 4400),
    "init with an array": ('{"type":"connection_init","payload":[]}', 4400),
    "init with a number": ('{"type":"connection_init","payload":0}', 4400),
    "ping with a text": ('{"type":"ping","payload":"x"}', 4400),
    "pong with an array": ('{"type":"pong","payload":[]}', 4400),
    "subscribe": (SUBSCRIBE, 4401),
    "subscribe without payload": ('{"type":"subscribe","id":"1"}', 4400),
    "token that is no text": ({**INIT, "payload": {"authorization": 1}}, 4403),
    "token that is an object": ({**INIT, "payload": {"authorization": {}}}, 4403),
    "token without scheme": ({**INIT, "payload": {"authorization": "abc"}}, 4403),
    "token that is none": ({**INIT, "payload": {"Authorization": "Bearer abc"}}, 4403),
    "token that is not ASCII": ({**INIT, "payload": {"Authorization": "Bearer é\u0000"}}, 4403),
    "token that is too long": ({**INIT, "payload": {"Authorization": "Bearer " + "a" * 9000}}, 4403),
    "token in headers": ({**INIT, "payload": {"headers": {"Authorization": "Bearer abc"}}}, 4403),
    "shop that is none": ({**INIT, "payload": {"galleria-shop": "no such shop"}}, 4403),
    "shop that is no text": ({**INIT, "payload": {"galleria-shop": ["demo"]}}, 4403),
    "too long": ('{"type":"ping","payload":{"a":"' + "a" * 131_072 + '"}}', 1009),
}

AFTER_INIT = {
    "second init": (INIT, 4429),
    "the same id twice": ([SUBSCRIBE, SUBSCRIBE], 4409),
    "no id": ({**SUBSCRIBE, "id": None}, 4400),
    "empty id": ({**SUBSCRIBE, "id": ""}, 4400),
    "id that is a number": ({**SUBSCRIBE, "id": 1}, 4400),
    "id that cannot be hashed": ({**SUBSCRIBE, "id": {}}, 4400),
    "id that is too long": ({**SUBSCRIBE, "id": "1" * 129}, 4400),
    "complete without id": ({"type": "complete"}, 4400),
    "complete of a list": ({"type": "complete", "id": ["1"]}, 4400),
    "payload that is a text": ({**SUBSCRIBE, "payload": "{ __typename }"}, 4400),
    "payload that is an array": ({**SUBSCRIBE, "payload": []}, 4400),
    "payload without query": ({**SUBSCRIBE, "payload": {}}, 4400),
    "query that is null": ({**SUBSCRIBE, "payload": {"query": None}}, 4400),
    "query that is a number": ({**SUBSCRIBE, "payload": {"query": 1}}, 4400),
    "variables that are a text": ({**SUBSCRIBE, "payload": {"query": "{ a }", "variables": "{}"}}, 4400),
    "variables that are an array": ({**SUBSCRIBE, "payload": {"query": "{ a }", "variables": []}}, 4400),
    "operation name that is a number": ({**SUBSCRIBE, "payload": {"query": "{ a }", "operationName": 1}}, 4400),
    "extensions that are an array": ({**SUBSCRIBE, "payload": {"query": "{ a }", "extensions": [1]}}, 4400),
    "bytes": (json.dumps(SUBSCRIBE).encode(), 4400),
    "token of nobody by ping": ({"type": "ping", "payload": {"authorization": "Bearer abc"}}, 4403),
}

OPERATIONS = {
    "empty document": ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
    "no operation": ({"query": "fragment A on Query { __typename }"}, "GRAPHQL_VALIDATION_FAILED"),
    "several operations": ({"query": "query A { __typename } query B { __typename }"}, "BAD_REQUEST"),
    "operation that is not there": ({"query": SHOP_NAME, "operationName": "Nobody"}, "BAD_REQUEST"),
    "query and documentId": ({"query": SHOP_NAME, "documentId": "sha256:" + "0" * 64}, "BAD_REQUEST"),
    "malformed documentId": ({"documentId": "1"}, "BAD_REQUEST"),
    "unknown documentId": ({"documentId": "sha256:" + "0" * 64}, "PERSISTED_QUERY_NOT_FOUND"),
    "extensions alone": ({"extensions": {"a": 1}}, "BAD_REQUEST"),
    "too many values": ({"query": SHOP_NAME, "variables": {"a": [1] * 1001}}, "LIMIT_EXCEEDED"),
    "character that cannot be stored": ({"query": SHOP_NAME, "variables": {"a": "\0"}}, "BAD_USER_INPUT"),
    "too long": ({"query": "#" * 20_001}, "LIMIT_EXCEEDED"),
    "too deep": ({"query": "{ a " * 40 + "}" * 40}, "LIMIT_EXCEEDED"),
    "fragments in a circle": ({"query": "{ ...A } fragment A on Query { ...A }"}, "GRAPHQL_VALIDATION_FAILED"),
}


@pytest.mark.parametrize(("message", "code"), BEFORE_INIT.values(), ids=BEFORE_INIT)
async def test_misuse_before_init_closes_with_its_code(base_url, api, message, code):
    async with socket(base_url, introduce=api.shop) as sibling, socket(base_url) as client:
        await client.send(message)
        closed, reason = await client.closed()
        assert closed == code, reason
        assert "Traceback" not in reason
        assert (await sibling.ask("1", SHOP_NAME))["data"]


@pytest.mark.parametrize(("message", "code"), AFTER_INIT.values(), ids=AFTER_INIT)
async def test_misuse_after_init_closes_with_its_code(base_url, api, message, code):
    async with (
        socket(base_url, introduce=api.shop) as sibling,
        socket(base_url, introduce=api.shop) as client,
    ):
        for each in message if isinstance(message, list) else [message]:
            await client.send(each)
        assert (await client.closed())[0] == code
        assert (await sibling.ask("1", SHOP_NAME))["data"]


@pytest.mark.parametrize(("payload", "code"), OPERATIONS.values(), ids=OPERATIONS)
async def test_request_that_is_wrong_ends_its_operation_alone(base_url, api, payload, code):
    async with socket(base_url, introduce=api.shop) as client:
        await client.send({"type": "subscribe", "id": "1", "payload": payload})
        answer = await client.receive()
        assert answer["type"] == "error"
        assert {error["extensions"]["code"] for error in answer["payload"]} == {code}, answer
        assert (await client.ask("1", SHOP_NAME))["data"]


@pytest.mark.parametrize("offered", [["graphql-ws"], ["graphql-transport-ws-2", "other"], None])
async def test_other_subprotocols_are_turned_away(base_url, offered):
    async with socket(base_url, subprotocols=offered) as client:
        # A browser fails without a word where none of those that it offered is echoed.
        assert client.connection.subprotocol == (offered[0] if offered else None)
        assert (await client.closed())[0] == 4406


async def test_our_subprotocol_is_found_among_others(base_url, api):
    async with socket(base_url, introduce=api.shop, subprotocols=["other", PROTOCOL]) as client:
        assert client.connection.subprotocol == PROTOCOL


@pytest.mark.parametrize(
    ("origin", "code"),
    [("https://evil.example", 4403), ("null", 4403), ("http://[", 4403), ("http://127.0.0.1:1", 4403), (None, None)],
)
async def test_pages_of_other_origins_may_not_connect(base_url, api, origin, code):
    async with socket(base_url, origin=origin or base_url) as client:
        if code is None:
            await client.introduce(**{"galleria-shop": api.shop.slug})
        else:
            assert (await client.closed())[0] == code


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bool = True, bits: int = 0) -> bytes:
    """Write a frame (RFC 6455, 5.2), right or wrong."""
    length = len(payload)
    first = bytes([(0x80 if fin else 0) | bits | opcode])
    flag = 0x80 if mask else 0
    if length < 126:
        size = bytes([flag | length])
    elif length < 65_536:
        size = bytes([flag | 126]) + struct.pack("!H", length)
    else:
        size = bytes([flag | 127]) + struct.pack("!Q", length)
    # The key of zeros leaves the payload as it is.
    return first + size + (b"\0\0\0\0" if mask else b"") + payload


FRAMES = {
    "text that is not UTF-8": (frame(1, b"\xff\xfe"), 1007),
    "frame without mask": (frame(1, b"{}", mask=False), 1002),
    "reserved opcode": (frame(3, b"{}"), 1002),
    "reserved bit": (frame(1, b"{}", bits=0x40), 1002),
    "continuation of nothing": (frame(0, b"{}"), 1002),
    "text within a text": (frame(1, b"{", fin=False) + frame(1, b"}"), 1002),
    "long ping": (frame(9, b"a" * 126), 1002),
    "ping in parts": (frame(9, b"a", fin=False), 1002),
    "closing frame of one byte": (frame(8, b"a"), 1002),
    "closing code that does not exist": (frame(8, struct.pack("!H", 999)), 1002),
    "closing code that may not be sent": (frame(8, struct.pack("!H", 1006)), 1002),
    "closing reason that is not UTF-8": (frame(8, struct.pack("!H", 1000) + b"\xff"), 1007),
    "announcement of a long message": (frame(1)[:1] + b"\xff" + struct.pack("!Q", 1 << 40) + b"\0\0\0\0", 1009),
    "eight megabytes": (frame(1, b"a" * 8_000_000), 1009),
    "long message in parts": (frame(1, b"a" * 70_000, fin=False) + frame(0, b"a" * 70_000), 1009),
    "parts without end": (frame(1, b"", fin=False) + frame(0, b"", fin=False) * 1_001, 1008),
    "text in parts that is no message": (frame(1, b"{", fin=False) + frame(0, b""), 4400),
}


@pytest.mark.parametrize(("sent", "code"), FRAMES.values(), ids=FRAMES)
async def test_broken_frame_closes_with_its_code(base_url, api, sent, code):
    async with socket(base_url, introduce=api.shop) as sibling, asyncio.timeout(20):
        assert await close_after(base_url, sent) == code
        assert (await sibling.ask("1", SHOP_NAME))["data"]


async def close_after(url: str, sent: bytes) -> int:
    """Send bytes over a new socket, and return the code by which the server closes it."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    writer.write(
        f"GET /graphql HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
    )
    assert b" 101 " in (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]
    writer.write(sent)
    try:
        await writer.drain()
        while True:
            head = await reader.readexactly(2)
            payload = await reader.readexactly(head[1] & 0x7F)
            if head[0] & 0x0F == 8:
                return struct.unpack("!H", payload[:2])[0]
    finally:
        writer.close()


async def test_garbage_never_stops_the_server(base_url, api):
    for _ in range(20):
        code = await close_after(base_url, frame(1, os.urandom(200)))
        assert code in {1007, 4400}
    async with socket(base_url, introduce=api.shop) as client:
        assert (await client.ask("1", SHOP_NAME))["data"]


async def test_operation_that_fails_leaves_others_of_the_socket_alone(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        await client.subscribe("bad", "{ nothing }")
        await client.subscribe("good", SHOP_NAME)
        received = [await client.receive() for _ in range(3)]
        by_id = {message["id"]: message for message in received if message["type"] != "complete"}
        assert refused(by_id["bad"], "GRAPHQL_VALIDATION_FAILED")
        assert by_id["good"]["payload"]["data"]
