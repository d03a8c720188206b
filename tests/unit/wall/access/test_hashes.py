"""Hashes of passwords and tokens: of the form that the settings take, salted, and by the published functions."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from posebus.config.wall.wall_settings import PASSWORD_HASH_PATTERN, TOKEN_HASH_PATTERN
from tests.unit.wall.access.logins import cheap_hash
from wall.access import hashes


def test_a_hash_of_a_password_is_scrypt_of_it_with_the_salt_and_parameters_that_stand_in_it() -> None:
    made = hashes.hash_of_password("correct horse")
    assert re.match(PASSWORD_HASH_PATTERN, made)
    assert "horse" not in made
    _, n, r, p, salt, key = made.split(":")
    raw = base64.urlsafe_b64decode(salt + "==")
    found = hashlib.scrypt(b"correct horse", salt=raw, n=int(n), r=int(r), p=int(p), maxmem=2**28, dklen=32)
    assert base64.urlsafe_b64encode(found).rstrip(b"=").decode() == key
    assert (int(n), int(r), int(p)) == (2**15, 8, 3), "one of the choices of OWASP's password storage sheet"


def test_two_hashes_of_one_password_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "COST", 2)
    assert hashes.hash_of_password("a") != hashes.hash_of_password("a")


@pytest.mark.parametrize("wrong", ["", "Secret", "secret ", "secre", "s" * 1000, "sécret"])
def test_only_the_password_itself_matches(wrong: str) -> None:
    hashed = cheap_hash("secret")
    assert hashes.is_password("secret", hashed)
    assert not hashes.is_password(wrong, hashed)


def test_a_letter_that_keyboards_write_in_two_ways_is_one_letter() -> None:
    assert hashes.is_password("caf" + "e\u0301", cheap_hash("caf\u00e9"))


@pytest.mark.parametrize("parameters", ["3:1:1", "0:1:1", "9999999:99:99", "2:0:0"])
def test_a_hash_with_impossible_parameters_matches_nothing(parameters: str) -> None:
    _, _, _, _, salt, key = cheap_hash("secret").split(":")
    assert not hashes.is_password("secret", f"scrypt:{parameters}:{salt}:{key}")


def test_the_hash_of_nobody_has_the_form_and_the_cost_of_all_others() -> None:
    assert re.match(PASSWORD_HASH_PATTERN, hashes.NOBODY)
    assert hashes.NOBODY.split(":")[1:4] == ["32768", "8", "3"]


def test_a_token_has_256_random_bits_and_its_hash_is_sha256() -> None:
    token = hashes.new_token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert token != hashes.new_token()
    assert hashes.hash_of_token(token) == f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    assert re.match(TOKEN_HASH_PATTERN, hashes.hash_of_token(token))
