"""The side of the dashboard that runs in a kernel, one for each open page."""

import os
import sys
from pathlib import Path
from typing import Any

from exams.dashboard.payload import payload, report, stamp
from exams.errors import ExamsError
from exams.places import Places

MIMETYPE = "application/vnd.exams+json"


def show() -> None:
    """Show the dashboard: the newest quarter at once, then whatever the page asks for."""
    from comm import create_comm  # noqa: PLC0415  (only a kernel can do these)
    from IPython.display import display  # noqa: PLC0415

    places = find_places()
    channel = create_comm(target_name="exams")
    channel.on_msg(lambda message: channel.send(answer(places, message["content"]["data"])))
    data = {**payload(places), "comm": channel.comm_id}
    text = "The dashboard is drawn by Voila: run `exams dashboard`."
    display({MIMETYPE: data, "text/plain": text}, raw=True)


def answer(places: Places, question: dict[str, Any]) -> dict[str, Any]:
    """Answer a page.

    {"report": quarter} is answered with the report's HTML; {"quarter", "have"} with the payload,
    or with nothing new if the page has it: `have` is the stamp of what it shows.
    """
    try:
        if "report" in question:
            return {"report": report(places, str(question["report"]))}
        if question.get("have") == stamp(places):
            return {"payload": None}
        return {"payload": payload(places, question.get("quarter"))}
    except ExamsError as error:
        return {"error": str(error)}
    except Exception as error:  # the page lives on; the next tick may find things in order
        print(f"dashboard: {type(error).__name__}: {error}", file=sys.__stderr__)
        return {"error": "The figures cannot be read at the moment."}


def find_places() -> Places:
    """Return the folders named by EXAMS_DATA and EXAMS_REPORTS, by env.yaml where one is not."""
    data, reports = os.environ.get("EXAMS_DATA"), os.environ.get("EXAMS_REPORTS")
    if not data or not reports:
        from exams import project  # noqa: PLC0415  (takes time, and `exams dashboard` names both)

        usual = project.places(project.find_root(Path.cwd()))
        data, reports = data or str(usual.data), reports or str(usual.reports)
    return Places.of(data, reports)
