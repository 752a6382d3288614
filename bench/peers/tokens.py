"""Who asks: tokens are verified as Galleria verifies them, and remembered for a minute."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt

_LIFETIME_SECONDS = 60.0
_MOST = 10_000
_REQUIRED = ("iss", "aud", "exp", "iat", "sub", "shop")

_keys = {
    entry["kid"]: jwt.PyJWK({name: value for name, value in entry.items() if name != "d"}, "EdDSA")
    for entry in json.loads(Path(os.environ["TOKEN_KEYS"]).read_bytes())["keys"]
}
_verified: dict[str, tuple[Mapping[str, Any], float]] = {}


def claims_of(header: str) -> Mapping[str, Any]:
    """Return the claims of an Authorization header.

    Raises:
        PyJWTError: The token is not good.
        KeyError: Nobody knows its key.
    """
    known = _verified.get(header)
    now = time.time()
    if known is not None and now < known[1]:
        return known[0]
    token = header.removeprefix("Bearer ")
    claims = jwt.decode(
        token,
        _keys[jwt.get_unverified_header(token)["kid"]],
        ["EdDSA"],
        issuer=os.environ["TOKEN_ISSUER"],
        audience=os.environ["TOKEN_AUDIENCE"],
        options={"require": list(_REQUIRED)},
    )
    if len(_verified) >= _MOST:
        del _verified[next(iter(_verified))]
    _verified[header] = (claims, min(now + _LIFETIME_SECONDS, claims["exp"]))
    return claims
