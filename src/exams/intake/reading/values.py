"""Values of workbooks and Parquet files as the text that a CSV file would hold."""

from decimal import Decimal


def text_of(value: object) -> bytes:
    """Return a value as text: 72.0 is 72, 72.5 is 72.5, None is empty.

    Numbers that whole digits cannot write stay as Python has them (1e-07), and are judged.
    """
    if isinstance(value, bytes):
        return value
    return _written(value).encode()


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
