"""junit.xml against a schema of the xunit2 family, whatever strangers wrote.

`fixtures/junit.xsd` is ours, written from the published structure and narrower. Where the variable
AUTOGRADEBOOK_JUNIT_XSD names a copy of the published junit-10.xsd, everything must be valid by that one too.
"""

import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from test_report import hostile_class, made_up_class

from grader.core.attempt import Attempt, CheckResult
from grader.core.submission import Unreadable
from grader.core.verdict import Verdict
from grader.report import to_junit
from grader.report.results import Results

OURS = Path(__file__).parent / "fixtures" / "junit.xsd"
PUBLISHED = os.environ.get("AUTOGRADEBOOK_JUNIT_XSD", "")
SCHEMAS = [etree.XMLSchema(etree.parse(path)) for path in (str(OURS), PUBLISHED) if path]

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.sampled_from(
        ["]]>", "<![CDATA[", "&#0;", "&amp;", "<!--", "-->", "\x00\x1b[31m\x7f\x85", "\ud800", "\udfff\ud800",
         "\ufffe\uffff", "\r\n\t", "", " ", "<?xml version='1.1'?>", "\u202e", "\U0001f40d", "x" * 50_000, "\n" * 9000]
    ),
)  # fmt: skip
NUMBERS = st.one_of(st.floats(0, 10), st.sampled_from([float("nan"), float("inf"), -1.0, 1e-9, 1e300]))


@st.composite
def _checks(draw):
    return CheckResult(
        id=draw(TEXTS), title=draw(TEXTS), status=draw(st.sampled_from(list(Verdict))), points=draw(NUMBERS),
        max_points=draw(NUMBERS), message=draw(TEXTS), misconception=draw(st.none() | TEXTS), where=draw(TEXTS),
        traceback=draw(TEXTS), printed=draw(TEXTS), given=draw(TEXTS), counts=draw(st.booleans()),
        seconds=draw(NUMBERS),
    )  # fmt: skip


@st.composite
def _attempts(draw):
    return Attempt(
        student=draw(TEXTS), exercise=draw(TEXTS), path=draw(TEXTS), sha256=draw(TEXTS),
        checks=tuple(draw(st.lists(_checks(), max_size=4))), seed=draw(st.integers(0, 2**31)), device=draw(TEXTS),
        confinement=draw(TEXTS), torch=draw(TEXTS), seconds=draw(NUMBERS), note=draw(TEXTS),
    )  # fmt: skip


def faults(text: str) -> list[str]:
    """What the schemas find in a document; it must at least be XML."""
    # As it is read by tools that do not raise their parser's limits.
    document = etree.fromstring(text.encode("utf-8"))
    return [str(fault) for schema in SCHEMAS if not schema.validate(document) for fault in schema.error_log]


@pytest.mark.parametrize("results", [made_up_class(), hostile_class(), made_up_class(0, attempts=(), students=())])
def test_what_is_written_is_valid(results: Results, tmp_path: Path) -> None:
    (path,) = to_junit.write(results, tmp_path, tmp_path)
    assert faults(path.read_text(encoding="utf-8")) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(_attempts(), max_size=3), st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_no_text_of_a_stranger_makes_it_invalid(attempts: list[Attempt], unread: list[tuple[str, str]]) -> None:
    results = replace(
        made_up_class(1), attempts=tuple(attempts), unreadable=tuple(Unreadable(path, why) for path, why in unread)
    )
    text = to_junit.as_xml(results)
    assert faults(text) == []
    # And no text became markup: there are as many cases as checks.
    cases = sum(max(len(attempt.checks), 1) for attempt in attempts) + len(unread)
    assert len(ET.fromstring(text).findall("testsuite/testcase")) == cases


def test_the_schema_says_no() -> None:
    """A schema that accepts everything would prove nothing."""
    good = to_junit.as_xml(made_up_class(3))
    assert faults(good) == []
    broken = {
        "a suite without a name": good.replace("<testsuite name=", "<testsuite title=", 1),
        "a count that is none": good.replace('failures="', 'failures="many', 1),
        "points, which JUnit does not have": good.replace("<testcase ", '<testcase points="1" ', 1),
        "a verdict that JUnit does not have": good.replace("<skipped", "<postponed").replace(
            "</skipped", "</postponed"
        ),
        "a time that is none": good.replace(' time="', ' time="soon', 1),
        "two outcomes of one case": good.replace("<failure ", '<error type="a" message="b"/><failure ', 1),
        "text where none belongs": good.replace("<properties>", "<properties>text", 1),
    }
    for what, text in broken.items():
        assert text != good, what
        assert faults(text), what
    with pytest.raises(etree.XMLSyntaxError):
        faults(good.replace("autogradebook", "\x01", 1))
