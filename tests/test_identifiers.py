"""Identifiers: what is hashed, under which key, and which one occurs twice."""

import hashlib
import hmac
from itertools import pairwise

import numpy as np
import pytest

from exams.contract import Field
from exams.errors import ExamsError
from exams.intake.judging import identifiers, seen
from exams.intake.judging.identifiers import key_fingerprint, normalised, pseudonyms, read_key
from exams.intake.judging.seen import Seen

KEY = b"sixteen letters!"
NUMBER = Field("number", "Number", "", "identifier")


@pytest.fixture
def set_key(monkeypatch):
    return lambda text: monkeypatch.setenv(identifiers.KEY, text)


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(identifiers.KEY, raising=False)


def digest(first, other=0, rest=0):
    """Return 32 bytes of which the first and second eight are these numbers."""
    return b"".join(number.to_bytes(8, "little") for number in (first, other, rest, 0))


def test_a_pseudonym_is_the_hmac_of_field_and_identifier():
    expected = hmac.new(KEY, b"number\0A-17", hashlib.sha256).digest()
    assert pseudonyms([b"A-17"], NUMBER, [], KEY) == [expected]


@pytest.mark.parametrize("raw", [" A-17", "A-17\u00a0", "A-\u200b17", "A-１７"])
def test_spellings_of_one_identifier_have_one_pseudonym(raw):
    assert (
        pseudonyms([raw.encode(), b"A-17"], NUMBER, [], KEY)[0]
        == (pseudonyms([b"A-17"], NUMBER, [], KEY)[0])
    )


@pytest.mark.parametrize("raw", ["a-17", "A-18", "A -17", "'A-17", "A-017"])
def test_case_and_every_other_character_count(raw):
    one, other = pseudonyms([raw.encode(), b"A-17"], NUMBER, [], KEY)
    assert one != other


def test_an_escaped_identifier_is_the_one_that_was_escaped():
    assert normalised(b"'-17") == normalised(b"-17") == b"-17"


def test_another_key_or_field_gives_other_pseudonyms():
    other = Field("pass", "Pass", "", "identifier")
    found = [
        *pseudonyms([b"A-17"], NUMBER, [], KEY),
        *pseudonyms([b"A-17"], NUMBER, [], KEY + b"!"),
        *pseudonyms([b"A-17"], other, [], KEY),
    ]
    assert len(set(found)) == 3


def test_a_missing_value_has_no_pseudonym():
    words = [b"", " \u200b".encode(), b"na", b"NA.", b"0"]
    found = pseudonyms(words, NUMBER, ["NA"], KEY)
    assert [one is None for one in found] == [True, True, True, False, False]


def test_bytes_that_are_no_text_are_hashed_as_they_are():
    one, other = pseudonyms([b"\xff", b"\xfe"], NUMBER, [], KEY)
    assert one != other
    assert normalised(b" \xff ") == b"\xff"


def test_a_key_has_sixteen_characters(set_key):
    assert read_key() is None
    set_key("sixteen letters!")
    assert read_key() == KEY
    set_key("fifteen letters")
    with pytest.raises(ExamsError) as raised:
        read_key()
    assert raised.value.code == "E016"
    assert "fifteen letters" not in str(raised.value)


def test_the_fingerprint_changes_with_the_key_and_is_empty_without(set_key):
    assert key_fingerprint(b"salt") == ""
    found = set()
    for key in ("sixteen letters!", "sixteen letters?", "short"):
        set_key(key)
        found.add(key_fingerprint(b"salt"))
    assert len(found) == 3
    assert key_fingerprint(b"salt") != key_fingerprint(b"other salt")


class AllHold(Seen):
    def add(self, digests):
        return super().add(digests, np.ones(len(digests), bool))


def test_the_later_of_two_is_seen_before_and_none_never_is():
    a, b, c = digest(1), digest(2), digest(3)
    found = AllHold()
    assert found.add([b, None, a, b, None]).tolist() == [False, False, False, True, False]
    assert found.add([c, a, c]).tolist() == [False, True, True]
    assert found.add([None]).tolist() == [False]
    assert found.add([]).tolist() == []


def test_who_does_not_hold_a_digest_is_told_of_those_before_alone():
    a, b = digest(1), digest(2)
    found, fine = Seen(), np.array([False, True, False, True])
    assert found.add([a, a, a, b], fine).tolist() == [False, False, True, False]
    assert found.add([b, b, a, None], fine).tolist() == [True, True, True, False]
    assert [len(entries) for entries in found.newer] == [2, 2]


def test_digests_that_begin_alike_are_told_apart():
    found = AllHold()
    assert found.add([digest(7, 1), digest(7, 2), digest(7, 1)]).tolist() == [False, False, True]
    assert found.add([digest(7, 3), digest(7, 2)]).tolist() == [False, True]
    assert found.add([digest(7, 3), digest(7, 4), digest(7, 4)]).tolist() == [True, False, True]


def test_any_split_into_calls_finds_what_a_set_finds(monkeypatch):
    monkeypatch.setattr(seen, "_FEW", 20)
    random = np.random.default_rng(3)
    for _ in range(30):
        numbers = random.integers(0, 60, (400, 2)) // [1, 20]
        digests = [None if a == 0 else digest(int(a), int(b)) for a, b in numbers]
        holding = random.random(400) < random.choice([0.2, 0.8, 1])
        known, expected = set(), []
        for one, holds in zip(digests, holding, strict=True):
            expected.append(one in known)
            if one is not None and holds:
                known.add(one)
        cuts = [0, *sorted(random.integers(0, 400, 9).tolist()), 400]
        found = Seen()
        parts = [found.add(digests[a:b], holding[a:b]) for a, b in pairwise(cuts)]
        assert np.concatenate(parts).tolist() == expected
