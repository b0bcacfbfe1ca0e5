"""Errors that a user can act on: a code, what is wrong, what to do."""


class ExamsError(Exception):
    """A mistake in a file, a setting or a call; never a defect of the program.

    `code` is stable (E101), `message` says what is wrong and where, `remedy` what to do.
    Neither may hold a student's value: both reach logs and the status table.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.code, self.message, self.remedy = code, message, remedy
        super().__init__(f"{code} {message} {remedy}")
