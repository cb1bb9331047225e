"""junit.xml: JUnit XML of the xunit2 family, for continuous integration and the tools that read it.

One suite for each submission, one case for each check. JUnit has no points: they stand in the suite's
properties and in the output of a case that lost some. What was not attempted is a failure, what a missing
device or an earlier failure kept from running is skipped, and our own failure is an error that says so.
"""

import math
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from grader.core.attempt import Attempt, CheckResult
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report.atomic import write_text
from grader.report.results import Results, number

_TAG = {
    Verdict.FAILED: "failure",
    Verdict.NOT_ATTEMPTED: "failure",
    Verdict.SKIPPED: "skipped",
    Verdict.ERROR: "error",
    Verdict.TIMEOUT: "error",
    Verdict.CRASHED: "error",
    Verdict.INTERNAL_ERROR: "error",
}
# Characters that XML 1.0 cannot hold, not even as a reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(results: Results, out: Path, templates: Path) -> list[Path]:
    return [write_text(out / "junit.xml", as_xml(results))]


def as_xml(results: Results) -> str:
    root = ET.Element("testsuites", name="autogradebook")
    for attempt in results.attempts:
        root.append(_suite(results, attempt))
    if results.unreadable:
        root.append(_unreadable(results))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("time", _seconds(sum(_usable(attempt.seconds) for attempt in results.attempts)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(results: Results, attempt: Attempt) -> ET.Element:
    suite = ET.Element("testsuite", name=_name(f"{attempt.student}/{attempt.exercise}"))
    properties = {
        "student": attempt.student,
        "exercise": attempt.exercise,
        "path": attempt.path,
        "sha256": attempt.sha256,
        "status": str(attempt.status),
        "score": "" if attempt.score is None else number(attempt.score),
        "max_score": number(attempt.max_score),
        "seed": str(attempt.seed),
        "device": attempt.device,
        "confinement": attempt.confinement,
        "torch": attempt.torch,
        "note": attempt.note,
    }
    held = ET.SubElement(suite, "properties")
    for name, value in properties.items():
        ET.SubElement(held, "property", name=name, value=_name(value, 2000))
    cases = [_case(attempt, check) for check in attempt.checks] or [_nothing_judged(attempt)]
    suite.extend(cases)
    _count(suite, results, attempt.seconds)
    return suite


def _case(attempt: Attempt, check: CheckResult) -> ET.Element:
    case = ET.Element("testcase", classname=_name(attempt.exercise), name=_name(check.id), time=_seconds(check.seconds))
    if check.status is Verdict.PASSED:
        return case
    said = check.message or check.status.words
    told = ET.SubElement(case, _TAG[check.status], type=str(check.status), message=_name(said, 500))
    lines = [
        check.title,
        f"{number(check.points)} of {number(check.max_points)} points",
        check.message,
        check.where,
        f"misconception: {check.misconception}" if check.misconception else "",
        check.traceback,
    ]
    told.text = _text("\n".join(line for line in lines if line))
    if check.printed:
        ET.SubElement(case, "system-out").text = _text(check.printed)
    return case


def _nothing_judged(attempt: Attempt) -> ET.Element:
    case = ET.Element("testcase", classname=_name(attempt.exercise), name="graded", time="0.000")
    why = attempt.note or "no check could be run"
    ET.SubElement(case, "skipped", type="skipped", message=_name(why, 500))
    return case


def _unreadable(results: Results) -> ET.Element:
    suite = ET.Element("testsuite", name="unreadable")
    for entry in results.unreadable:
        case = ET.SubElement(suite, "testcase", classname="unreadable", name=_name(entry.path), time="0.000")
        ET.SubElement(case, "error", type="unreadable", message=_name(entry.reason, 500))
    _count(suite, results, 0.0)
    return suite


def _count(suite: ET.Element, results: Results, seconds: float) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", _seconds(seconds))
    suite.set("timestamp", results.created.isoformat(timespec="seconds"))


def _usable(seconds: float) -> float:
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _seconds(seconds: float) -> str:
    return f"{_usable(seconds):.3f}"


def _name(text: str, limit: int = 300) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", one_line(text, limit))


def _text(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", clean(text, 8000))
