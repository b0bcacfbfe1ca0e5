"""The side of the dashboard that runs in a kernel, one for each open page."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from exams.dashboard.now import news
from exams.dashboard.payload import card, payload, report, stamp
from exams.dashboard.tables import table
from exams.errors import ExamsError
from exams.places import Places
from exams.quarters import Timing, is_quarter

MIMETYPE = "application/vnd.exams+json"
_USUAL = Timing()
_TABLE = {"table", "of"}
_ASKED = {"quarter", "have", "seen"}
_LONGEST = 64  # characters of a stamp


def show() -> None:
    """Show the dashboard: the newest quarter at once, then whatever the page asks for."""
    from comm import create_comm  # noqa: PLC0415  (only a kernel can do these)
    from IPython.display import display  # noqa: PLC0415

    places, timing = find_places(), find_timing()
    channel = create_comm(target_name="exams")
    channel.on_msg(lambda message: channel.send(answer(places, message["content"]["data"], timing)))
    data = {**payload(places), "now": news(places, timing), "comm": channel.comm_id}
    text = "The dashboard is drawn by Voila: run `exams dashboard`."
    display({MIMETYPE: data, "text/plain": text}, raw=True)


def answer(places: Places, question: Any, timing: Timing = _USUAL) -> dict[str, Any]:
    """Answer a page; what it asks may come from anyone.

    {"report": quarter} and {"card": quarter} are answered with the HTML of the report, or of the
    model card; {"table", "of"} with the rows of a published table, of a quarter or (null) of all;
    {"quarter", "have", "seen"} with the payload and how things stand now, each null if the page
    has it: `have` and `seen` are the stamps of what it shows.
    """
    if not _is_question(question):
        return {"error": "This was no question."}
    try:
        return _asked_for(places, question) or _figures(places, question, timing)
    except ExamsError as error:
        return {"error": str(error)}
    except Exception as error:  # the page lives on; the next tick may find things in order
        print(f"dashboard: {type(error).__name__}: {error}", file=sys.__stderr__)
        return {"error": "The figures cannot be read at the moment."}


def _asked_for(places: Places, question: dict[str, Any]) -> dict[str, Any]:
    """Return the one thing that a page asks for; nothing if it is the figures."""
    if "report" in question:
        return {"report": report(places, question["report"])}
    if "card" in question:
        return {"card": card(places, question["card"])}
    if "table" in question:
        return {"table": table(places, question["table"], question["of"])}
    return {}


def _figures(places: Places, question: dict[str, Any], timing: Timing) -> dict[str, Any]:
    known = question.get("have") == stamp(places)
    return {
        "payload": None if known else payload(places, question.get("quarter")),
        "now": news(places, timing, question.get("seen")),
    }


def _is_question(question: Any) -> bool:
    """Say whether it holds what may be asked for, and nothing but short texts and nulls."""
    if not isinstance(question, dict):
        return False
    page = set(question) in ({"report"}, {"card"})
    texts = [text for text in question.values() if text is not None or page]
    if not all(isinstance(text, str) and len(text) <= _LONGEST for text in texts):
        return False
    quarters = texts if page else filter(None, [question.get("quarter"), question.get("of")])
    asked = page or set(question) == _TABLE or set(question) <= _ASKED
    return asked and all(map(is_quarter, quarters))


def find_places() -> Places:
    """Return the folders named by EXAMS_DATA and EXAMS_REPORTS, by env.yaml where one is not."""
    data, reports = os.environ.get("EXAMS_DATA"), os.environ.get("EXAMS_REPORTS")
    if not data or not reports:
        from exams import project  # noqa: PLC0415  (takes time, and `exams dashboard` names both)

        usual = project.places(project.find_root(Path.cwd()))
        data, reports = data or str(usual.data), reports or str(usual.reports)
    return Places.of(data, reports)


def find_timing() -> Timing:
    """Return when quarters are built and late, of EXAMS_TIMING, by env.yaml where it is not set."""
    if given := os.environ.get("EXAMS_TIMING"):
        return Timing(**json.loads(given))
    from exams import project  # noqa: PLC0415  (as above)

    return project.timing(project.settings(project.find_root(Path.cwd())))
