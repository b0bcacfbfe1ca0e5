"""Disclosure control: what may be seen so that no student can be recognised."""

from exams.disclosure.protect import protect

__all__ = ["protect"]
