"""Grades come out again: into teachers' files of Canvas and Moodle, of which no other byte changes, and as reports."""

import csv
import io
import json
import os
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader.catalogue import Catalogue
from grader.cli import cli
from grader.core.attempt import Attempt, CheckResult
from grader.core.errors import BadFile, WrongUsage
from grader.core.grade import LatePolicy
from grader.core.submission import HandedIn, SaidBy, Submission, Unreadable
from grader.core.verdict import Verdict
from grader.flow import Order, grade_batch
from grader.intake.submissions import read_submissions
from grader.ledger import canvas, moodle
from grader.ledger.filling import Score, Style
from grader.ledger.gradebook import Gradebook, RunInfo
from grader.ledger.sheet import OpenQuote, Sheet, scan

FIXTURES = Path(__file__).parent / "fixtures/lms"
CAT, VIEW = "04_cat_and_stack", "05_view_vs_reshape"
TITLES = {CAT: "Cat and stack", VIEW: "View against reshape"}
INFO = RunInfo(7, "0.1.0", "3.11", "2.9.0", "cpu", "full")


def fixture(name):
    return (FIXTURES / name).read_bytes()


def swapped(data, *changes, encoding="utf-8"):
    """`data` with each piece replaced, which must be there once."""
    for old, new in changes:
        assert data.count(old.encode(encoding)) == 1, old
        data = data.replace(old.encode(encoding), new.encode(encoding))
    return data


def on_canvas(data, scores, ids=None, columns=None, **wish):
    titles = {name: TITLES.get(name, name) for per in scores.values() for name in per}
    asked = canvas.Wish(dict(sorted(titles.items())), columns or {}, **wish)
    return canvas.fill(data, scores, asked, ids=ids or {}, name="grades.csv")


def told_of(filled):
    return "\n".join(filled.told)


# ---------------------------------------------------------------------------------------------- a made-up class


def gradebook(out, rows, *, ids=None, adjustments=(), unreadable=(), pending=(), prefix=""):
    """A gradebook with (student, exercise, points of 5 or None for our own failure)."""
    wanted, attempts = [], []
    for student, exercise, points in rows:
        path = f"{prefix}{student}/{exercise}.py"
        wanted.append((f"{student} {exercise}", Submission(student, exercise, path, "x = 1", "0" * 64)))
        status = Verdict.INTERNAL_ERROR if points is None else Verdict.PASSED if points == 5 else Verdict.FAILED
        check = CheckResult("test_it", "It.", status, points or 0.0, 5.0)
        attempts.append(
            (f"{student} {exercise}",
             Attempt(student, exercise, path, "0" * 64, (check,), 7, "cpu", "full", "2.9.0"))
        )  # fmt: skip
    for student, exercise in pending:
        wanted.append((f"new {student}", Submission(student, exercise, f"{student}/n.py", "x = 2", "1" * 64)))
    with Gradebook.open(out) as book:
        book.seed = 7
        book.begin_run(INFO, wanted, unreadable, [], frozenset(), ids or {})
        book.record_many(attempts)
        book.finish_run()
        for given_ in adjustments:
            book.adjust(*given_)
    return out


def learn(*words):
    told = CliRunner().invoke(cli, [str(word) for word in words])
    assert "Traceback" not in told.output
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told


# -------------------------------------------------------------------------------------------------------- Canvas

IDS = {
    "lovelaceada": "101",
    "hoppergraceamazing": "102",
    "王小明": "103",
    "student_2": "104",
    "delacruznúñezana": "105",
}


def test_canvas_gets_the_grades_and_nothing_else_changes():
    scores = {
        "lovelaceada": {CAT: Score(5.0, 5), VIEW: Score(3.3333333, 5)},
        "hoppergraceamazing": {CAT: Score(4.0, 5), VIEW: Score(0.0, 5)},
        "王小明": {CAT: Score(2.5, 5)},
        "student_2": {CAT: Score(1.25, 5)},
    }
    data = fixture("canvas.csv")
    filled = on_canvas(data, scores, IDS)
    assert filled.data == swapped(
        data,
        (",ada,PyTorch 1,,,,91.50", ",ada,PyTorch 1,,5.00,3.33,91.50"),
        ('and moths",4.00,,88.00', 'and moths",4.00,0.00,88.00'),
        ('and PyTorch 2",,,EX', 'and PyTorch 2",,2.50,EX'),
        (",s2,PyTorch 2,,-,N/A", ",s2,PyTorch 2,,1.25,N/A"),
    )
    assert (filled.changed, filled.matched) == (5, 4)
    assert "In the file, with nothing graded here: de la Cruz-Núñez, Ana; Turing, Alan." in filled.told
    assert "Student, Test" not in told_of(filled)


def test_grades_that_are_there_are_kept_unless_told():
    scores = {"lovelaceada": {VIEW: Score(5.0, 5)}, "Alan Turing": {VIEW: Score(5.0, 5)}}
    data = fixture("canvas.csv")
    filled = on_canvas(data, scores, IDS)
    assert filled.data == swapped(data, (",ada,PyTorch 1,,,,91.50", ",ada,PyTorch 1,,,5.00,91.50"))
    assert "was kept (--overwrite replaces it): Alan Turing (3.00, here 5.00)." in told_of(filled)
    filled = on_canvas(data, scores, IDS, overwrite=True)
    assert b",turing,PyTorch 2,,,5.00,,,,,,\n" in filled.data
    assert filled.changed == 2
    again = on_canvas(filled.data, scores, IDS)
    assert (again.data, again.changed) == (filled.data, 0)
    assert "was kept" not in told_of(again)


def test_excused_and_not_assigned_stay_whatever_is_said():
    scores = {"王小明": {VIEW: Score(5.0, 5)}, "student_2": {VIEW: Score(5.0, 5)}}
    data = fixture("canvas.csv")
    filled = on_canvas(data, scores, IDS, overwrite=True)
    assert filled.data == data
    assert "excused in Canvas, left so: 王小明." in told_of(filled)
    assert "not assigned to them in Canvas, left so: student_2." in told_of(filled)


def test_what_needs_regrading_leaves_the_cell_as_it_is():
    scores = {"lovelaceada": {VIEW: Score(None, 5)}, "Alan Turing": {VIEW: Score(None, 5)}}
    filled = on_canvas(fixture("canvas.csv"), scores, IDS, overwrite=True)
    assert filled.data == fixture("canvas.csv")
    assert "needs regrading, left as it was: lovelaceada; Alan Turing." in told_of(filled)


def test_the_other_shapes_of_canvas():
    data = fixture("canvas_names_apart.csv")
    scores = {"Ada Lovelace": {VIEW: Score(5.0, 5)}, "grace2": {VIEW: Score(2.5, 5)}}
    filled = on_canvas(data, scores)
    assert filled.data == swapped(
        data,
        ('"Ada","101","ada","A",""', '"Ada","101","ada","A","5.0"'),
        ('"107","grace2","B",""', '"107","grace2","B","2.5"'),
    )
    assert "has 10 points and here it is 5" in told_of(filled)
    assert b'"ada","A","10.0"' in on_canvas(data, scores, scale=True).data
    data = fixture("canvas_semicolons.csv")
    scores = {
        "müllerjörg": {CAT: Score(4.5, 5)},
        "aoezdemir": {VIEW: Score(5, 20)},
        "Niamh O'Neill": {CAT: Score(5, 5)},
    }
    columns = {CAT: "Katzen, gestapelt (31)", VIEW: "32"}
    filled = on_canvas(data, scores, columns=columns)
    assert filled.data == swapped(
        data,
        ("Übung 1;;12,50", "Übung 1;4,50;12,50"),
        ('Übung 2";;;;\r\nO', 'Übung 2";;5,00;;\r\nO'),
        ('\n2";;;;', '\n2";5,00;;;'),
    )
    data = fixture("canvas_1252.csv")
    filled = on_canvas(data, {"Jörg Müller": {CAT: Score(2.5, 5)}, "ecelik": {CAT: Score(5, 5)}}, overwrite=True)
    assert filled.data == swapped(
        data, ("jmueller,A,", "jmueller,A,2.5"), ("ecelik,A,4.5", "ecelik,A,5.0"), encoding="cp1252"
    )
    assert "Windows-1252" in told_of(filled)


def test_a_name_that_two_have_is_nobodys_grade():
    data = fixture("canvas_names_apart.csv")
    filled = on_canvas(data, {"Grace Hopper": {VIEW: Score(5, 10)}, "nobody": {VIEW: Score(5, 10)}})
    assert filled.data == data
    assert filled.matched == 0
    assert "Fits more than one row of the file, or shares one, so not filled in: Grace Hopper." in told_of(filled)
    assert "Graded here and not found in the file, so not filled in: nobody." in told_of(filled)
    # Two of ours for one of theirs.
    filled = on_canvas(data, {"Ada Lovelace": {VIEW: Score(5, 10)}, "ada": {VIEW: Score(1, 10)}})
    assert filled.data == data
    assert "so not filled in: Ada Lovelace; ada." in told_of(filled)
    # An ID that the file does not have is not helped by a name that it has.
    filled = on_canvas(data, {"Ada Lovelace": {VIEW: Score(5, 10)}}, {"Ada Lovelace": "999"})
    assert filled.data == data
    # One that it has is taken, and a name that differs is told.
    filled = on_canvas(data, {"somebody": {VIEW: Score(5, 10)}}, {"somebody": "101"})
    assert filled.changed == 1
    assert "somebody (101) is Lovelace, Ada there" in told_of(filled)


def test_a_column_is_never_invented_and_never_guessed():
    data = fixture("canvas.csv")
    scores = {"lovelaceada": {"16_nonscalar_backward": Score(5, 5), VIEW: Score(5, 5)}}
    filled = on_canvas(data, scores, IDS)
    assert "No column in the file for 16_nonscalar_backward. Name one with --column 16=" in told_of(filled)
    assert filled.changed == 1
    with pytest.raises(WrongUsage, match=r"fits the columns .*48201.* and .*48209.*--column 04="):
        on_canvas(swapped(data, ("Essay on tensors (48203)", "04 Cat and Stack! (48209)")), {"x": {CAT: Score(5, 5)}})
    with pytest.raises(WrongUsage, match="fits 04_cat_and_stack and 05_view_vs_reshape"):
        on_canvas(data, {"x": {CAT: Score(5, 5), VIEW: Score(5, 5)}}, columns={CAT: "48202"})
    for header, said in (
        ("Final Score", "does not take grades"),
        ("Student", "does not take grades"),
        ("Essay", "is no assignment"),
        ("(48202)", "is no assignment"),
    ):
        with pytest.raises(WrongUsage, match=said):
            on_canvas(data, scores, IDS, {VIEW: header})


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("05_view_vs_reshape (1)", True),
        ("5: view vs reshape (1)", True),
        ("Exercise 05 - View against reshape (1)", True),
        ("VIEW AGAINST RESHAPE (1)", True),
        ("view_vs_reshape (1)", True),
        ("6: View against reshape (1)", False),
        ("05 (1)", False),
        ("Exercise 5 (1)", False),
        ("View against reshape, again (1)", False),
        ("View against reshape", False),
        ("View against reshape Final Score (1)", False),
    ],
)
def test_what_column_an_exercise_fits(header, fits):
    data = f'Student,ID,Section,"{header}"\nPoints Possible,,,5\nAda,1,A,\n'.encode()
    filled = on_canvas(data, {"Ada": {VIEW: Score(2, 5)}})
    assert (filled.changed == 1) is fits


def test_new_columns_are_made_when_they_are_asked_for():
    data = fixture("canvas_semicolons.csv")
    scores = {"jmueller": {CAT: Score(4.5, 5)}, "noneill": {VIEW: Score(None, 5)}}
    with pytest.raises(BadFile, match="rows of different lengths"):
        on_canvas(data.replace(b";Muted;;;", b";Muted"), scores, new_columns=True)
    filled = on_canvas(data, scores, new_columns=True)
    rows = list(csv.reader(io.StringIO(filled.data.decode(), newline=""), delimiter=";"))
    old = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=";"))
    added = (
        ["04 Cat and stack", "05 View against reshape"],
        ["", ""],
        ["5,00", "5,00"],
        ["4,50", ""],
        ["", ""],
        ["", ""],
    )
    assert rows == [row + more for row, more in zip(old, [*added, []], strict=True)]
    assert filled.data.replace(b";04 Cat and stack;05 View against reshape", b"").startswith(data[:150])
    assert "needs regrading, left as it was: noneill" in told_of(filled)


def test_the_sum_goes_into_the_column_that_is_named():
    data = fixture("canvas.csv")
    filled = on_canvas(
        data, {"lovelaceada": {CAT: Score(5, 5), "total": Score(8.5, 10)}}, IDS, {"total": "Course total"}, quiet=True
    )
    assert filled.data == swapped(data, (",ada,PyTorch 1,,,,91.50,,", ",ada,PyTorch 1,,5.00,,91.50,8.50,"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"Name,Points\nAda,1\n", "no gradebook of Canvas"),
        (b"only one column\nAda\n", "no gradebook of Canvas"),
        (b'Student,ID,Section,"A (1)\nAda,1,A,\n', "no gradebook of Canvas"),
        (b"Student,ID,Section,A (1)\n", "no students"),
        (b"\x81\x8d\xff,\n", "neither UTF-8"),
        (b"\xff\xfeS\x00,\x00t\x00", "no gradebook of Canvas"),
        (b"\xff\xfeS\x00t", "damaged"),
        (b"\xef\xbb\xbf\xff,\xfe", "damaged"),
        ("Student,ID,Section,A (1)\nAda,1,A,\n".encode("utf-16"), ""),
    ],
)
def test_files_that_are_no_gradebook_get_a_sentence(data, said):
    if not said:
        filled = on_canvas(data, {"Ada": {VIEW: Score(2, 5)}}, columns={VIEW: "A (1)"})
        assert filled.data == "Student,ID,Section,A (1)\nAda,1,A,2\n".encode("utf-16")
        return
    with pytest.raises(BadFile, match=said) as fault:
        on_canvas(data, {"Ada": {VIEW: Score(2, 5)}})
    assert "grades.csv" in str(fault.value)


# -------------------------------------------------------------------------------------------------------- Moodle


def on_moodle(data, scores, ids=None, **wish):
    return moodle.fill(data, scores, moodle.Wish(**wish), ids=ids or {}, name="worksheet.csv")


TWO_OF_A_NAME = {"Ada Lovelace": "5001", "Wei Zhang (5002)": "5002", "Wei Zhang (5003)": "5003"}


def test_moodle_gets_the_grades_and_nothing_else_changes():
    scores = {
        "Ada Lovelace": Score(4.5, 5, "04 Cat & stack"),
        "Wei Zhang (5002)": Score(None, 5, "no"),
        "Wei Zhang (5003)": Score(5.0, 5, "05 ok"),
    }
    data = fixture("moodle.csv")
    filled = on_moodle(data, scores, TWO_OF_A_NAME)
    assert filled.data == swapped(
        data,
        ('grading - ",,5.00,Yes,"Monday, 2 March 2026, 9:15', 'grading - ",4.50,5.00,Yes,"Monday, 2 March 2026, 9:15'),
    )
    assert (filled.changed, filled.matched) == (1, 3)
    for said in (
        "Grade: needs regrading, left as it was: Wei Zhang (5002).",
        "was kept (--overwrite replaces it): Wei Zhang (5003) (4.00, here 5.00).",
        "In the file, with nothing graded here: Grace Hopper.",
    ):
        assert said in told_of(filled)
    filled = on_moodle(data, scores, TWO_OF_A_NAME, overwrite=True, feedback=True)
    assert filled.changed == 4
    rows = list(csv.reader(io.StringIO(filled.data.decode("utf-8-sig"), newline="")))
    assert [row[5] for row in rows] == ["Grade", "4.50", "", "5.00", ""]
    assert [row[10] for row in rows] == ["Feedback comments", "04 Cat & stack", "", "05 ok", ""]
    kept = on_moodle(data, scores, TWO_OF_A_NAME, feedback=True)
    assert b'"Well done, ""Wei"".\nSee me."' in kept.data


def test_moodle_in_another_language_is_known_by_what_stands_in_it():
    scores = {"Jörg Müller": Score(8.0, 10, "gut"), "ao@uni.example": Score(7.5, 10), "Niamh O'Neill": Score(12, 10)}
    data = fixture("moodle_german.csv")
    filled = on_moodle(data, scores, {"Jörg Müller": "7001"}, feedback=True)
    assert filled.data == swapped(
        data,
        (',"Gruppe A",,"10,00"', ',"Gruppe A","8,00","10,00"'),
        ('siehe Datei</p>",-,\n', 'siehe Datei</p>",-,gut\n'),
    )
    assert "above the maximum of 10, which Moodle does not take, so not filled in: Niamh O'Neill (12,00)." in told_of(
        filled
    )
    filled = on_moodle(data, {"Jörg Müller": Score(4, 5)}, scale=True)
    assert b'"8,00"' in filled.data
    # What can't be seen is asked for.
    unclear = data.replace(b"Zuletzt ge\xc3\xa4ndert (Abgabe)", b"Abgabe")
    with pytest.raises(WrongUsage, match="which column is for feedback"):
        on_moodle(unclear, scores, feedback=True)
    named = on_moodle(unclear, scores, feedback=True, columns={"feedback": "Feedback als Kommentar"})
    assert b"-,gut\n" in named.data
    for columns, said in (
        ({"05": "Bewertung"}, "a column can be named for"),
        ({"grade": "Note"}, "no column of"),
        ({"grade": "Status"}, "holds no grades in numbers"),
    ):
        with pytest.raises((WrongUsage, BadFile), match=said):
            on_moodle(data, scores, columns=columns)


def test_moodle_without_names():
    data = fixture("moodle_anonymous.csv")
    scores = {"Participant (8001)": Score(5, 100), "Participant (8002)": Score(99.5, 100)}
    filled = on_moodle(data, scores, {"Participant (8001)": "8001", "Participant (8002)": "8002"})
    assert [row[2] for row in csv.reader(filled.data.decode().splitlines())] == ["Grade", "5.00", "99.50", ""]
    assert filled.told == ("In the file, with nothing graded here: Participant 8003.",)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\n1\n", "can't be read as CSV"),
        (b"Identifier,Grade,Maximum grade\n", "no participants"),
        (b"Identifier,Grade,Maximum grade\nAda,,5\n", "no grading worksheet"),
        (b"Identifier,Grade,Maximum grade\nParticipant 1,,5\nParticipant 1,,5\n", "no grading worksheet"),
        (b'Identifier,Grade,Scale\nParticipant 1,Good,"Bad\nGood"\n', "by a scale"),
        (b"ID,A,B,C\nParticipant 1,,5,7\n", "which column is the grade"),
        (b"ID,A,B\nParticipant 1,x,y\n", "which column is the grade"),
    ],
)
def test_files_that_are_no_worksheet_get_a_sentence(data, said):
    with pytest.raises(BadFile, match=said) as fault:
        on_moodle(data, {"Ada": Score(2, 5)})
    assert "worksheet.csv" in str(fault.value)


# ----------------------------------------------------------------------------------------------- byte for byte

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), max_size=12)
ODD = st.sampled_from(
    ['"', '""', ",", ";", "\t", "\r", "\n", "\r\n", "a,b", '5" pipe', " x ", "=1+1", "Ünï", "", "-", "7"]
)
CELLS = st.one_of(TEXT, ODD, st.builds(lambda a, b: a + b, TEXT, ODD))


def raw(text, delimiter, quoted):
    must = any(sign in text for sign in (delimiter, '"', "\r", "\n"))
    return '"' + text.replace('"', '""') + '"' if quoted or must else text


@st.composite
def files(draw):
    """A gradebook of Canvas before and after, in every style that one can be written in, and the scores between."""
    delimiter = draw(st.sampled_from(",;\t"))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    style = lambda: draw(st.booleans())  # noqa: E731
    column = draw(st.integers(4, 6))
    rows = [["Student", "ID", "SIS Login ID", "Section", "Notes", "x (1)", "Final Score"]]
    rows[0].insert(column, "View against reshape (2)")
    rows.append(["    Points Possible", "", "", "", "", "", ""])
    rows[1].insert(column, "10.00")
    scores, graded = {}, []
    for number in range(draw(st.integers(1, 5))):
        row = [draw(CELLS), str(100 + number), *draw(st.lists(CELLS, min_size=5, max_size=5))]
        row.insert(column, "")
        rows.append(row)
        if draw(st.booleans()):
            points = draw(st.integers(0, 40)) / 4
            scores[f"s{number}"] = {VIEW: Score(points, 10)}
            graded.append((len(rows) - 1, f"{points:.2f}"))
    before = [[raw(text, delimiter, style()) for text in row] for row in rows]
    after = [list(row) for row in before]
    for row, text in graded:
        after[row][column] = f'"{text}"' if before[row][column] else text
    bom = draw(st.sampled_from(["", "\ufeff"]))
    last = draw(st.sampled_from(["", end, end + end]))
    encoding = draw(st.sampled_from(["utf-8", "utf-16"]))
    whole = [
        bom * (encoding == "utf-8") + end.join(delimiter.join(row) for row in part) + last for part in (before, after)
    ]
    return [text.encode(encoding) for text in whole], scores


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
def test_every_other_byte_is_what_it_was(made):
    (before, after), scores = made
    filled = on_canvas(before, scores, {f"s{number}": str(100 + number) for number in range(5)})
    assert filled.data == after
    assert filled.changed == len(scores)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('a1 ,;"\r\n\té'), max_size=40), st.sampled_from(",;\t"))
def test_cells_are_read_as_python_reads_them(text, delimiter):
    try:
        cells = [[cell.text for cell in row] for row in scan(text, delimiter)]
    except OpenQuote:  # Python's csv lets it pass
        assume(False)
    assert cells == list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    where = [cell for row in scan(text, delimiter) for cell in row]
    assert all(one.end <= other.start for one, other in pairwise(where))


def test_what_we_add_is_never_a_formula():
    data = fixture("moodle.csv")
    filled = on_moodle(data, {"Ada Lovelace": Score(5, 5, "=HYPERLINK(1)")}, TWO_OF_A_NAME, feedback=True)
    assert b",'=HYPERLINK(1)\n" in filled.data
    sheet = next(Sheet.readings(b"a,b\n", "x"))
    sheet.add(0, "@SUM(A1)")
    assert sheet.data() == b"a,b,'@SUM(A1)\n"


@pytest.mark.parametrize(
    ("near", "far", "delimiter", "value", "written"),
    [
        (["10.00"], [], ",", 7.5, "7.50"),
        (["10.0"], [], ",", 7.25, "7.25"),
        (["10", "7.5"], [], ",", 5.0, "5"),
        ([], ["10,00"], ";", 3.3333, "3,33"),
        ([], [], ";", 2.5, "2,5"),
        ([], [], ",", 0.1 + 0.2, "0.3"),
        (["1.0000"], [], ",", 2 / 3, "0.6667"),
        (["EX", "-"], ["5"], ",", 4.0, "4"),
    ],
)
def test_numbers_are_written_as_the_file_writes_them(near, far, delimiter, value, written):
    assert Style.of(near, far, delimiter).write(value) == written


# ------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def book(tmp_path):
    rows = [
        ("lovelaceada", CAT, 5.0), ("lovelaceada", VIEW, 3.0), ("hoppergraceamazing", CAT, 4.0),
        ("王小明", CAT, 2.5), ("delacruznúñezana", VIEW, None), ("delacruznúñezana", CAT, 5.0),
    ]  # fmt: skip
    return gradebook(
        tmp_path / "out", rows, ids=IDS, adjustments=[("hoppergraceamazing", CAT, 0.5, "Neat.")],
        unreadable=[Unreadable("x.docx", "It is not a .py file.")], pending=[("student_2", VIEW)],
    )  # fmt: skip


@pytest.fixture
def theirs(tmp_path):
    file = tmp_path / "grades.csv"
    file.write_bytes(fixture("canvas.csv"))
    return file


def test_export_to_canvas(book, theirs):
    told = learn("export", book, "--to", "canvas", "--fill", theirs, "--overwrite", "--total", "Course total")
    assert told.exit_code == 3, told.output
    assert theirs.read_bytes() == fixture("canvas.csv")
    new = theirs.with_name("grades-graded.csv")
    assert new.read_bytes() == swapped(
        fixture("canvas.csv"),
        (",ada,PyTorch 1,,,,91.50,,", ",ada,PyTorch 1,,5.00,3.00,91.50,8.00,"),
        ('and moths",4.00,,88.00,,', 'and moths",4.50,,88.00,4.50,'),
        ('and PyTorch 2",,,EX,,', 'and PyTorch 2",,2.50,EX,,2.50'),
        (",ana,PyTorch 2,,,,70.25", ",ana,PyTorch 2,,5.00,,70.25"),
    )
    for said in (
        "8 cells filled in for 4 students", str(new), "One file could not be graded", "student_2 (05_view_vs_reshape)",
        "Course total (48204): needs regrading, left as it was: delacruznúñezana.",
        "View against reshape (48202): needs regrading",
    ):  # fmt: skip
        assert said in told.output, told.output
    assert learn("export", book, "--to", "canvas", "--fill", theirs).exit_code == 3
    assert theirs.with_name("grades-graded-2.csv").exists()


def test_export_writes_over_nothing(book, theirs, tmp_path):
    for new in (theirs, book / "gradebook.db"):
        told = learn("export", book, "--to", "canvas", "--fill", theirs, "-o", new)
        assert told.exit_code == 2
        assert "is there already" in told.output
    assert theirs.read_bytes() == fixture("canvas.csv")
    told = learn("export", book, "--to", "canvas", "--fill", theirs, "--in-place")
    assert told.exit_code == 3
    assert b",ada,PyTorch 1,,5.00,3.00,91.50" in theirs.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "out"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "canvas"], "--fill"),
        (["--to", "canvas", "--fill", "nowhere.csv"], "There is no nowhere.csv"),
        (["--to", "canvas", "--fill", "."], "can't be read"),
        (["--to", "canvas", "--fill", "F", "--column", "05"], "should be as in"),
        (["--to", "canvas", "--fill", "F", "--column", "99=x"], "'99' is none of the exercises that were graded"),
        (["--to", "canvas", "--fill", "F", "--column", "05=x (1)"], "is no assignment"),
        (["--to", "canvas", "--fill", "F", "--column", "05=a", "--column", "05=b"], "two columns for 05"),
        (["--to", "canvas", "--fill", "F", "--exercise", "04", "--column", "05=48203"], "nothing is to be filled in"),
        (["--to", "canvas", "--fill", "F", "--feedback"], "no column for feedback"),
        (["--to", "canvas", "--fill", "F", "-o", "n.csv", "--in-place"], "either --in-place"),
        (["--to", "moodle", "--fill", "F"], "no grading worksheet"),
        (["--to", "moodle", "--fill", "F", "--total", "x"], "for Canvas"),
        (["--to", "csv", "--fill", "F"], "--to canvas"),
        (["--to", "xlsx"], "The formats are"),
    ],
)
def test_bad_words_get_a_sentence(book, theirs, monkeypatch, tmp_path, words, said):
    monkeypatch.chdir(tmp_path)
    told = learn("export", book, *(str(theirs) if word == "F" else word for word in words))
    assert told.exit_code == 2
    assert said in told.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "out"]


def test_a_file_of_another_course_and_a_folder_without_grades(book, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("Student,ID,Section,Cat and stack (1)\nSomebody,1,A,\n")
    told = learn("export", book, "--to", "canvas", "--fill", other)
    assert told.exit_code == 2
    assert "None of the 4 students" in told.output
    (tmp_path / "empty").mkdir()
    told = learn("export", tmp_path / "empty", "--to", "canvas", "--fill", other)
    assert told.exit_code == 2
    assert "holds no gradebook" in told.output
    assert not list((tmp_path / "empty").iterdir())


def test_export_to_moodle(tmp_path):
    rows = [("Ada Lovelace", CAT, 2.0), ("Ada Lovelace", VIEW, 3.0), ("Wei Zhang (5002)", CAT, 1.0)]
    out = gradebook(
        tmp_path / "out", rows, ids=TWO_OF_A_NAME, prefix="x_1_assignsubmission_file/",
        adjustments=[("Ada Lovelace", CAT, -0.5, "Copied."), ("Ada Lovelace", VIEW, 0.5, "Neat.")],
    )  # fmt: skip
    file = tmp_path / "worksheet.csv"
    file.write_bytes(fixture("moodle.csv"))
    told = learn("export", out, "--to", "moodle", "--fill", file, "--feedback", "-o", tmp_path / "new.csv")
    assert told.exit_code == 0, told.output
    rows = list(csv.reader(io.StringIO((tmp_path / "new.csv").read_text("utf-8-sig"), newline="")))
    assert [row[5] for row in rows[1:]] == ["5.00", "1.00", "4.00", ""]
    assert rows[1][10] == (
        "04 Cat and stack: 1.5 of 5 (wrong answer, -0.5 by hand); "
        "05 View against reshape: 3.5 of 5 (wrong answer, +0.5 by hand)"
    )
    assert "The grade is the sum of 04_cat_and_stack; 05_view_vs_reshape" in told.output
    told = learn("export", out, "--to", "moodle", "--fill", file, "--exercise", "5")
    assert "The grade is that of 05_view_vs_reshape." in told.output
    assert b'",3.50,5.00' in file.with_name("worksheet-graded.csv").read_bytes()
    # Moodle's numbers mean nothing to Canvas, and names still do.
    canvas_file = tmp_path / "canvas.csv"
    canvas_file.write_text('Student,ID,Section,Cat and stack (1)\nSomebody,5001,A,\n"Lovelace, Ada",7,A,\n')
    told = learn("export", out, "--to", "canvas", "--fill", canvas_file)
    assert told.exit_code == 0, told.output
    assert (
        canvas_file.with_name("canvas-graded.csv").read_text().endswith('Somebody,5001,A,\n"Lovelace, Ada",7,A,1.5\n')
    )


def test_what_is_exported_is_what_lateness_left(tmp_path):
    out = gradebook(tmp_path / "out", [("lovelaceada", CAT, 5.0)], ids=IDS)
    with Gradebook.open(out) as book:
        book.policy = LatePolicy.parse("10%")
        late = HandedIn(None, SaidBy.CANVAS, marked_late=True)
        one = Submission("lovelaceada", CAT, "a.py", "x = 1", "0" * 64)
        book.begin_run(INFO, [(f"lovelaceada {CAT}", one)], (), (), frozenset({"a.py"}), IDS, {"a.py": late})
        book.finish_run()
    file = tmp_path / "grades.csv"
    file.write_bytes(fixture("canvas.csv"))
    told = learn("export", out, "--to", "canvas", "--fill", file)
    assert told.exit_code == 0, told.output
    assert b",ada,PyTorch 1,,4.50,,91.50" in file.with_name("grades-graded.csv").read_bytes()


def test_export_writes_reports_again(book, tmp_path):
    told = learn("export", book, "--to", "json,csv,html,junit", "--title", "Autumn")
    assert told.exit_code == 3, told.output
    written = {path.name for path in (book / "export").iterdir()}
    assert {"results.json", "grades.csv", "index.html", "students", "junit.xml"} <= written
    result = json.loads((book / "export/results.json").read_text())
    assert len(result["submissions"]) == 6
    assert (result["seed"], result["torch"], result["grader"]) == (7, "2.9.0", "0.1.0")
    assert "Autumn" in (book / "export/index.html").read_text()
    assert "without the students' code" in told.output
    assert learn("export", book, "--to", "csv", "-o", tmp_path / "elsewhere").exit_code == 3
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["grades.csv"]


def test_export_needs_no_torch(book, theirs):
    import subprocess
    import sys

    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom grader.cli import cli\n"
        f"told = CliRunner().invoke(cli, ['export', {str(book)!r}, '--to', 'canvas', '--fill', {str(theirs)!r}])\n"
        "assert told.exit_code == 3, told.output\n"
        "assert not {'torch', 'numpy', 'pytest'} & set(sys.modules), 'heavy'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# -------------------------------------------------------------------------------- from the download to the grade


@pytest.fixture(scope="module")
def answers(probe):
    right = probe.solution.read_text()
    return {"right": right, "wrong": right.replace("x * 2", "x + 2.0")}


def archive(path, files):
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return path


@pytest.fixture(scope="module")
def downloads(tmp_path_factory, probe_pack, answers):
    """What Canvas and Moodle hand out for a class, graded; the first as an archive, the second as a folder."""
    base = tmp_path_factory.mktemp("downloads")
    packed = archive(
        base / "submissions.zip",
        {
            "lovelaceada_101_9001_01_probe.py": answers["right"],
            "hoppergrace_LATE_102_9002_01_probe-1.py": answers["wrong"],
            "王小明_103_9003_01_probe-2.py": answers["right"] + "\n",
            "student_2_104_9004_01_probe.py": answers["wrong"] + "\n",
            "delacruznúñezana_LATE_105_9005_notes.docx": "x",
        },
    )
    grade_batch(Order(packed, base / "canvas", pack=probe_pack, seed=5, formats=("json",)))
    folder = base / "moodle download"
    for name, text in {
        "Ada Lovelace_5001_assignsubmission_file/01_probe.py": answers["right"],
        "Wei Zhang_5002_assignsubmission_file/01_probe.py": answers["wrong"],
        "Wei Zhang_5003_assignsubmission_file/01_probe.ipynb": "{ broken",
        "王_小明 2_5005_assignsubmission_file_/deeper/01_probe.py": answers["right"],
    }.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
    grade_batch(Order(folder, base / "moodle", pack=probe_pack, seed=5, formats=("json",)))
    return base


def test_from_canvas_and_back(downloads, probe_pack, tmp_path):
    with Gradebook.open(downloads / "canvas", write=False) as opened:
        results = opened.results()
    assert results.late == {("hoppergrace", "01_probe")}
    assert dict(results.platform_ids) == {
        "lovelaceada": "101", "hoppergrace": "102", "王小明": "103", "student_2": "104", "delacruznúñezana": "105",
    }  # fmt: skip
    file = tmp_path / "grades.csv"
    data = fixture("canvas.csv").replace(b"Cat and stack (48201)", b"01 Probe (48201)")
    file.write_bytes(data.replace(b"4.00,,88.00", b",,88.00"))
    told = learn("export", downloads / "canvas", "--to", "canvas", "--fill", file, "--pack", probe_pack)
    assert told.exit_code == 0, told.output
    assert file.with_name("grades-graded.csv").read_bytes() == swapped(
        file.read_bytes(),
        (",ada,PyTorch 1,,,,91.50", ",ada,PyTorch 1,,6.00,,91.50"),
        ('and moths",,,88.00', 'and moths",2.00,,88.00'),
        ('and PyTorch 2",,,EX', 'and PyTorch 2",,6.00,EX'),
        (",s2,PyTorch 2,,-,N/A", ",s2,PyTorch 2,,2.00,N/A"),
    ), told.output
    assert "4 cells filled in for 4 students" in told.output
    assert "One file could not be graded" in told.output
    assert "de la Cruz-Núñez, Ana; Turing, Alan" in told.output
    assert "hoppergrace (102) is Hopper, Grace" in told.output


def test_from_moodle_and_back(downloads, probe_pack, tmp_path):
    file = tmp_path / "worksheet.csv"
    more = '"Participant 5005","王 小明 2",,,,,5.00,Yes,-,-,\n'.encode()
    file.write_bytes((fixture("moodle.csv") + more).replace(b"5.00,Yes", b"6.00,Yes"))
    told = learn("export", downloads / "moodle", "--to", "moodle", "--fill", file, "--pack", probe_pack)
    assert told.exit_code == 0, told.output
    assert file.with_name("worksheet-graded.csv").read_bytes() == swapped(
        file.read_bytes(),
        ('grading - ",,6.00,Yes,"Monday, 2 March 2026, 9:15', 'grading - ",6.00,6.00,Yes,"Monday, 2 March 2026, 9:15'),
        ('late - ",,6.00', 'late - ",2.00,6.00'),
        ('小明 2",,,,,6.00', '小明 2",,,,6.00,6.00'),
    ), told.output
    assert "In the file, with nothing graded here: Wei Zhang; Grace Hopper." in told.output


def test_pages_show_the_code_where_the_submissions_are(downloads, probe_pack, tmp_path):
    words = ["export", downloads / "canvas", "--to", "html", "--pack", probe_pack]
    assert learn(*words, "-o", tmp_path / "bare").exit_code == 0
    told = learn(*words, "-o", tmp_path / "whole", "--submissions", downloads / "submissions.zip")
    assert told.exit_code == 0
    assert "without the students' code" not in told.output
    pages = [
        "".join(page.read_text() for page in (tmp_path / name / "students").iterdir()) for name in ("bare", "whole")
    ]
    assert ["torch.randn" in page for page in pages] == [False, True]


NAMES = Catalogue.load().names


@pytest.mark.parametrize(
    ("name", "student", "id_", "exercise", "late"),
    [
        ("lovelaceada_101_9001_05_view_vs_reshape.py", "lovelaceada", "101", VIEW, False),
        ("lovelaceada_LATE_101_9001_05_view_vs_reshape.py", "lovelaceada", "101", VIEW, True),
        ("o_neill_niamh_101_9001_05_view_vs_reshape-3.ipynb", "o_neill_niamh", "101", VIEW, False),
        ("student_2_104_9004_05_view_vs_reshape.py", "student_2", "104", VIEW, False),
        ("student_2_LATE_104_9004_05_view_vs_reshape-1.py", "student_2", "104", VIEW, True),
        ("student_2_104_9004_view_vs_reshape.py", "student_2", "104", VIEW, False),
        ("student_2_104_9004_05.py", "student_2", "104", VIEW, False),
        ("student2_104_9004_05-1.py", "student2", "104", VIEW, False),
        ("王小明_103_9003_Exercise 5.py", "王小明", "103", VIEW, False),
        ("ивановаанна_LATE_7_8_04_cat_and_stack (1).py", "ивановаанна", "7", CAT, True),
        ("anon_x1Y2z_9004_05_view_vs_reshape.py", "anon_x1Y2z", "", VIEW, False),
        ("LATE_anon_x1Y2z_9004_04_cat_and_stack.py", "anon_x1Y2z", "", CAT, True),
        ("Ada de_la Cruz_7_assignsubmission_file/05.py", "Ada de_la Cruz", "7", VIEW, False),
        ("Group A-王 小明_7_assignsubmission_file/a/05_view_vs_reshape.ipynb", "Group A-王 小明", "7", VIEW, False),
        ("Participant_7_assignsubmission_file_05_view_vs_reshape (2).py", "Participant", "7", VIEW, False),
        ("Anna 2_3_4_assignsubmission_file/04.py", "Anna 2_3", "4", CAT, False),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_downloads_are_read_as_they_come(tmp_path, name, student, id_, exercise, late, packed):
    text = (
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}) if "ipynb" in name else "x = 1\n"
    )
    other = "Zoe_999_assignsubmission_file/04.py" if "assign" in name else "zoe_999_9999_04_cat_and_stack.py"
    if packed:
        place = archive(tmp_path / "submissions.zip", {name: text, other: "x = 2\n"})
    else:
        place = tmp_path / "submissions"
        for path, content in ((name, text), (other, "x = 2\n")):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(content)
    found = read_submissions(place, NAMES)
    assert found.unreadable == ()
    one = next(one for one in found.submissions if one.student.lower() != "zoe")
    assert (one.student, one.exercise) == (student, exercise)
    assert found.ids.get(student, "") == id_
    assert bool(found.late) is late
    assert os.sep not in student
