"""Key files: what is accepted, what is refused, and the pair made for development."""

import asyncio
import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from core.errors import ConfigurationError
from server import keys as key_files
from server.keys import KeySet, development_keys, load_keys

EDWARDS = {"kty": "OKP", "crv": "Ed25519", "kid": "e", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def write(tmp_path, *entries):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": entries}))
    return path


def elliptic(**members):
    key = ec.generate_private_key(ec.SECP256R1())
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "p", **members}


def rivest(bits=2048, **members):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "r", **members}


def algorithms(keys: KeySet):
    return {kid: key.algorithm_name for kid, key in keys.verification.items()}


def test_each_kind_of_key_is_bound_to_its_one_algorithm(tmp_path):
    keys = load_keys(write(tmp_path, EDWARDS, elliptic(), rivest()))
    assert algorithms(keys) == {"e": "EdDSA", "p": "ES256", "r": "RS256"}
    assert keys.signing is None


def test_keys_for_other_purposes_are_passed_over(tmp_path):
    others = (
        elliptic(use="enc", kid="a"),
        rivest(alg="RS512", kid="b"),
        {"kty": "AKP", "kid": "c"},
        {"kty": ["OKP"], "kid": "d"},
    )
    assert algorithms(load_keys(write(tmp_path, *others, EDWARDS))) == {"e": "EdDSA"}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "holds no key that signs tokens"),
        ([{**EDWARDS, "kid": ""}], "Key 1 .* has no kid"),
        ([EDWARDS, EDWARDS], "Key 2 .* same kid"),
        ([{**EDWARDS, "x": "AAAA"}], "Key 1 .* is not a usable EdDSA key"),
        ([{**EDWARDS, "x": 7}], "Key 1 .* is not a usable EdDSA key"),
        ([{"kty": "oct", "kid": "s", "k": "c2VjcmV0" * 8}], "Key 1 .* shared secret"),
        ([elliptic(d="AQAB")], "Key 1 .* is a private key"),
    ],
)
def test_unfit_keys_are_refused_with_their_position(tmp_path, entries, message):
    with pytest.raises(ConfigurationError, match=message):
        load_keys(write(tmp_path, *entries))


def test_a_short_rsa_key_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="too short for RS256"):
        load_keys(write(tmp_path, rivest(1024)))


def test_a_shared_secret_needs_the_switch_and_length(tmp_path):
    path = write(tmp_path, {"kty": "oct", "kid": "s", "k": "c2VjcmV0" * 8})
    assert algorithms(load_keys(path, allow_shared_secrets=True)) == {"s": "HS256"}
    with pytest.raises(ConfigurationError, match="too short for HS256"):
        load_keys(write(tmp_path, {"kty": "oct", "kid": "s", "k": "c2VjcmV0"}), allow_shared_secrets=True)


def test_a_broken_private_key_is_refused_without_being_quoted(tmp_path):
    with pytest.raises(ConfigurationError) as refusal:
        load_keys(write(tmp_path, {**EDWARDS, "d": "canary"}))
    assert "canary" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"keys": {}}', b'{"keys": [1]}', b"\xff\xfe"])
def test_a_file_that_is_no_key_set_is_refused(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="JWK Set"):
        load_keys(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.json cannot be read"):
        load_keys(tmp_path / "nowhere.json")


def test_development_keys_are_made_once_and_private(tmp_path):
    folder = tmp_path / "data"
    first, second = development_keys(folder), development_keys(folder)
    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.signing is not None
    assert second.signing is not None
    assert first.signing.kid == second.signing.kid
    assert algorithms(first) == {first.signing.kid: "EdDSA"}
    assert json.loads(file.read_bytes())["keys"][0]["d"] not in repr(first)


async def test_processes_that_start_together_share_the_pair(tmp_path):
    made = await asyncio.gather(*(asyncio.to_thread(development_keys, tmp_path) for _ in range(8)))
    assert len({keys.signing.kid for keys in made}) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_who_is_second_leaves_the_first_pair_alone(tmp_path):
    path = tmp_path / "keys.json"
    key_files._write_once(path, b"first")
    key_files._write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
