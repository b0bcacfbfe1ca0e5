"""Disclosure control: what may be seen so that no student can be recognised."""

from exams.disclosure.audit import Earlier, Verdict, audit
from exams.disclosure.changes import Version, changed, held, students_more
from exams.disclosure.protect import protect
from exams.disclosure.secure import check, secure

__all__ = [
    "Earlier",
    "Verdict",
    "Version",
    "audit",
    "changed",
    "check",
    "held",
    "protect",
    "secure",
    "students_more",
]
