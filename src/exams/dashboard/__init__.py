"""The dashboard: what is published and what happened, live in a browser.

Imports as little as it can: a kernel starts for every page that is opened.
"""

from exams.dashboard.kernel import show

__all__ = ["show"]
