"""Which number formats of a workbook show something other than the number."""

from xml.etree.ElementTree import fromstring

import pytest

from exams.intake.reading.formats import showing

STYLES = (
    '<styleSheet xmlns="x"><numFmts><numFmt numFmtId="164" formatCode="{code}"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="{number}"/></cellXfs></styleSheet>'
)


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (9, "", True),
        (14, "", True),
        (1, "", False),
        (164, "0.0%", True),
        (164, "yyyy-mm-dd", True),
        (164, "[h]:mm", True),
        (164, "#,##0.00", False),
        (164, "[Red]0", False),
        (164, "0&quot; days&quot;", False),
    ],
)
def test_a_percentage_a_date_or_a_time_is_told_from_a_plain_number(number, code, told):
    found = showing(fromstring(STYLES.format(number=number, code=code)))
    assert list(found) == (["1"] if told else [])
