"""Reads what the contract says of alarms and of prediction."""

from typing import Any

from exams.contract.checks import check_keys, mistake
from exams.contract.model import Alarm, Prediction


def read_alarm(raw: dict[str, Any]) -> Alarm:
    """Read when a change from quarter to quarter is an alarm."""
    check_keys("alarm", raw, {"effect": (int, float), "p": (int, float)})
    if raw.get("effect", 0) < 0:
        what = f"it is {raw['effect']}"
        raise mistake("alarm, effect", what, "Write 0.1 for a tenth of a standard deviation.")
    if not 0 < raw.get("p", 1) <= 1:
        raise mistake("alarm, p", f"it is {raw['p']}", "Write 0.01 for 1 %: over 0, up to 1.")
    return Alarm(**raw)


def read_prediction(raw: dict[str, Any]) -> Prediction:
    """Read which models are published, and whether students are predicted."""
    check_keys("prediction", raw, {"minimum_gain": (int, float), "per_student": bool})
    if not 0 <= raw.get("minimum_gain", 0) < 1:
        what = f"it is {raw['minimum_gain']}"
        raise mistake("prediction, minimum_gain", what, "Write 0.02 for 2 %: 0 to under 1.")
    return Prediction(**raw)
