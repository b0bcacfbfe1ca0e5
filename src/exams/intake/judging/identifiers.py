"""Identifiers of students: nothing but a keyed pseudonym of one is ever stored.

docs/identifiers.md tells what that protects, and how the key is changed.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exams.contract import Field
from exams.contract.words import escaped, fold, full_width, trimmed
from exams.errors import ExamsError

KEY = "EXAMS_PSEUDONYM_KEY"
SIZE = 32  # bytes of a pseudonym


def read_key() -> bytes | None:
    """Return the key in EXAMS_PSEUDONYM_KEY; None if there is none. Raise E016 if it is short."""
    key = os.environ.get(KEY, "")
    if key and len(key) < 16:
        raise ExamsError(
            "E016",
            f"{KEY} has fewer than 16 characters.",
            "Make one with `openssl rand -base64 32`, and keep it.",
        )
    return key.encode(errors="surrogateescape") or None


@dataclass(frozen=True)
class RunKey:
    """The key of one run, which no log may show. Only under a `lasting` one is anything stored.

    Any other finds duplicates, and its pseudonyms are thrown away.
    """

    key: bytes = field(repr=False)
    lasting: bool

    @classmethod
    def drawn(cls) -> "RunKey":
        """Return the key in EXAMS_PSEUDONYM_KEY, or else a random one."""
        key = read_key()
        return cls(key or secrets.token_bytes(SIZE), key is not None)


def key_fingerprint(salt: bytes) -> str:
    """Return what changes with the key but does not tell it; empty without a key.

    It ends in notebooks that others read: `salt` keeps them from trying out keys.
    """
    key = os.environ.get(KEY, "").encode(errors="surrogateescape")
    return hmac.new(salt, key, hashlib.sha256).hexdigest()[:16] if key else ""


def normalised(raw: bytes) -> bytes:
    """Return an identifier as it is hashed: `trimmed`, `full_width` and `escaped`; case counts."""
    text = raw.decode("utf-8", "surrogateescape")
    return escaped(full_width(trimmed(text))).encode("utf-8", "surrogateescape")


def is_missing(word: bytes, missing_values: Iterable[str]) -> bool:
    """Say whether a value is empty or a missing-value token."""
    folded = fold(word.decode("utf-8", "surrogateescape"))
    return not folded or folded in map(fold, missing_values)


def pseudonyms(
    words: Sequence[bytes], field: Field, missing_values: Iterable[str], key: bytes
) -> list[bytes | None]:
    """Return HMAC-SHA256(key, name of the field, NUL, identifier) of each word: 32 bytes.

    None for an empty value or a missing-value token. Equal identifiers have equal pseudonyms
    within a field and under a key, and nowhere else.
    """
    prefix = field.name.encode() + b"\0"
    return [
        None
        if is_missing(word, missing_values)
        else hmac.digest(key, prefix + normalised(word), "sha256")
        for word in words
    ]
