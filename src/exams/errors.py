"""Errors that a user can act on: a code, what is wrong, what to do."""

import unicodedata

# Control characters, surrogates, line separators, and what turns or hides text.
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINER = "\u200d"  # holds emoji together, and does nothing else


class ExamsError(Exception):
    """A mistake in a file, a setting or a call; never a defect of the program.

    `code` is stable (E101), `message` says what is wrong and where, `remedy` what to do.
    Neither may hold a student's value: both reach logs and the status table. Both are
    printable: a name in a file cannot drive a terminal.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.code, self.message, self.remedy = code, printable(message), printable(remedy)
        super().__init__(f"{code} {self.message} {self.remedy}")


def printable(text: str) -> str:
    r"""Return `text` with what a terminal would obey, or not show, as escapes: \x1b, \u202e.

    A byte of a file name that is no UTF-8 becomes its \xNN. Printable text stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c == _JOINER or unicodedata.category(c) not in _UNSAFE else _escape(c) for c in text
    )


def _escape(char: str) -> str:
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:  # how Python holds a byte that it could not decode
        number -= 0xDC00
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
