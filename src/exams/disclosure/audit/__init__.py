"""The attacker's audit: what a reader can work out of everything that is published.

It knows the published rows alone and shares no code with the protector, so that a mistake in one
of them is found by the other.
"""

from exams.disclosure.audit.attack import audit
from exams.disclosure.audit.finding import Earlier, Finding, Verdict

__all__ = ["Earlier", "Finding", "Verdict", "audit"]
