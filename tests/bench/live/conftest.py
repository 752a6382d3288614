"""A server of subscriptions that needs nothing else: Strawberry, with its audience."""

import contextlib
import dataclasses
import os
import socket
import threading

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from bench.live import contenders
from bench.live.hall import Hall
from bench.live.levels import Told
from bench.servers import serving

PIECE = 7
"""Bytes that a server under test sends at once."""

EVENT = {
    "sequence": "1",
    "isSnapshot": False,
    "occurredAt": "2026-11-21T04:00:00Z",
    "variantId": "shirt",
    "variant": {"id": "shirt", "sku": "S-1", "availability": {"isAvailable": True, "quantity": 7}},
}


@pytest.fixture
def environ(tmp_path):
    keys = tmp_path / "keys.json"
    key = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    keys.write_bytes(orjson.dumps({"keys": [{**key, "kid": "bench", "alg": "EdDSA", "use": "sig"}]}))
    keys.chmod(0o600)
    return {
        "PATH": os.environ["PATH"],
        "GALLERIA_TOKEN_KEYS": str(keys),
        "GALLERIA_TOKEN_ISSUER": "bench",
        "GALLERIA_TOKEN_AUDIENCE": "galleria",
    }


@pytest.fixture
def strawberry(ground, environ):
    programs, _ = contenders.programs(environ)
    with serving(programs[-1], dataclasses.replace(ground, environ=environ)) as running:
        yield running


@pytest.fixture
def port(strawberry):
    return int(strawberry.url.rpartition(":")[2])


@pytest.fixture
def hall(port):
    found = Hall(port)
    yield found
    found.close()


@pytest.fixture
def publication(environ):
    told, token = Told(EVENT), contenders.owner(environ)
    return lambda: told.publication(token)


@pytest.fixture
def telling():
    """Serve one connection: after each thing that comes, send the next of these texts, cut into small pieces."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def serve(*answers):
            thread = threading.Thread(target=_tell, args=(listener, answers))
            stack.callback(thread.join)
            thread.start()
            return listener.getsockname()[1]

        yield serve


def _tell(listener, answers):
    connection, _ = listener.accept()
    with connection, contextlib.suppress(ConnectionError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for answer in answers:
            connection.recv(65_536)
            for place in range(0, len(answer), PIECE):
                connection.sendall(answer[place : place + PIECE])
