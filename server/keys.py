"""Keys that tokens are verified with and, where a private one is at hand, signed with."""

import dataclasses
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from core.errors import ConfigurationError
from core.settings import Settings

# One algorithm a kind of key (RFC 8725, 3.1): what a token says about itself never chooses how it is verified.
_ALGORITHMS: Mapping[tuple[str, str | None], str] = {
    ("OKP", "Ed25519"): "EdDSA",
    ("EC", "P-256"): "ES256",
    ("RSA", None): "RS256",
    ("oct", None): "HS256",
}

# Members of RFC 7518 and RFC 8037 that only a private key has; `k` of a shared secret is not among them.
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})

_DEVELOPMENT_FILE = "token-keys.json"


@dataclasses.dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the name under which verifiers know it."""

    kid: str
    key: jwt.PyJWK = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class KeySet:
    """Every key that a token may name, each bound to one algorithm.

    Attributes:
        verification: Public keys (or, in development, shared secrets) by `kid`.
        signing: What tokens are issued with; None where tokens come from elsewhere.
    """

    verification: Mapping[str, jwt.PyJWK] = dataclasses.field(repr=False)
    signing: SigningKey | None = None


def load_keys(path: Path, *, allow_shared_secrets: bool = False) -> KeySet:
    """Read a JWK Set (RFC 7517) from a file.

    Keys for encryption and of unknown kinds are passed over, as RFC 7517, section 5 asks. The first private Ed25519
    key signs; private keys of other kinds are refused, since a verifier has no business with them.

    Args:
        path: The JSON file.
        allow_shared_secrets: Accept `oct` keys (HS256). For development: whoever verifies could also issue.

    Raises:
        ConfigurationError: The file cannot be read, or holds a key that must not be used, or none that can be.
    """
    verification: dict[str, jwt.PyJWK] = {}
    signing: SigningKey | None = None
    for position, entry in enumerate(_entries_of(path), start=1):
        algorithm = _algorithm_of(entry)
        if algorithm is None:
            continue
        source = f"Key {position} of {path}"
        kid, private = _checked(entry, algorithm, source, allow_shared_secrets=allow_shared_secrets)
        if kid in verification:
            raise ConfigurationError(f"{source} has the same kid as an earlier one; give each key its own.")
        verification[kid] = _built_key(_public_part(entry), algorithm, source)
        if private and signing is None:
            signing = SigningKey(kid, _built_key(entry, algorithm, source))
    if not verification:
        raise ConfigurationError(f"{path} holds no key that signs tokens; add an Ed25519, P-256 or RSA public key.")
    return KeySet(verification, signing)


def configured_keys(settings: Settings) -> KeySet:
    """Return the keys that the settings name, or in development, where they name none, the pair of the data folder.

    Raises:
        ConfigurationError: The keys cannot be used.
    """
    if settings.token_keys is not None:
        return load_keys(settings.token_keys)
    return development_keys(settings.data)


def development_keys(folder: Path) -> KeySet:
    """Return the Ed25519 pair of a data folder, made there on first use.

    Several processes may ask at the same time; all get the same pair.

    Raises:
        ConfigurationError: The file that holds the pair is broken.
    """
    path = folder / _DEVELOPMENT_FILE
    if not path.exists():
        _write_once(path, new_keys("development"))
    return load_keys(path)


def new_keys(purpose: str) -> bytes:
    """Make an Ed25519 pair; return it as a JWK Set, private member included.

    Args:
        purpose: What the names of keys begin with.
    """
    return orjson.dumps({"keys": [_new_pair(purpose)]})


def _entries_of(path: Path) -> list[Mapping[str, Any]]:
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as JSON; put a JWK Set there, or name another file."
        ) from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(f'{path} is not a JWK Set; its form is {{"keys": [{{"kty": "OKP", …}}]}}.')
    return entries


def _algorithm_of(entry: Mapping[str, Any]) -> str | None:
    """Name the one algorithm of a key; None for a key that is not for tokens."""
    kind = str(entry.get("kty"))
    curve = str(entry.get("crv")) if kind in {"OKP", "EC"} else None
    algorithm = _ALGORITHMS.get((kind, curve))
    if entry.get("use", "sig") != "sig" or entry.get("alg", algorithm) != algorithm:
        return None
    return algorithm


def _checked(entry: Mapping[str, Any], algorithm: str, source: str, *, allow_shared_secrets: bool) -> tuple[str, bool]:
    """Return the kid of an acceptable key, and whether it is private."""
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        raise ConfigurationError(f"{source} has no kid; give it one, since tokens name their key by it.")
    if algorithm == "HS256" and not allow_shared_secrets:
        raise ConfigurationError(f"{source} is a shared secret; use an Ed25519, P-256 or RSA public key.")
    private = not _PRIVATE_MEMBERS.isdisjoint(entry)
    if private and algorithm != "EdDSA":
        raise ConfigurationError(f"{source} is a private key; leave only its public members in the file.")
    return kid, private


def _public_part(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _PRIVATE_MEMBERS}


def _built_key(entry: Mapping[str, Any], algorithm: str, source: str) -> jwt.PyJWK:
    try:
        key = jwt.PyJWK(dict(entry), algorithm)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        # Some of PyJWT's messages quote the whole key; the chain is cut so that no log can show a private member.
        raise ConfigurationError(f"{source} is not a usable {algorithm} key ({type(error).__name__}).") from None
    weakness = key.Algorithm.check_key_length(key.key)
    if weakness:
        raise ConfigurationError(f"{source} is too short for {algorithm}; make a longer one.")
    return key


def _new_pair(purpose: str) -> dict[str, Any]:
    members = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    return {**members, "kid": f"{purpose}-{secrets.token_hex(4)}", "alg": "EdDSA", "use": "sig"}


def _write_once(path: Path, content: bytes) -> None:
    """Write a private file whole, unless another process was first; a reader never sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file 0600 from its first moment.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
