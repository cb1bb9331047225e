"""A learner's verdict on a terminal: what passed, what did not and why, and the next command.

Plain lines and signs, no boxes: they read the same in a pipe, in an editor's console and aloud. Colour is
rich's business (it knows NO_COLOR and pipes); no meaning hangs on it. Whatever comes from a learner's code is
cleaned and handed over as `Text`, so that neither escapes nor rich's own markup in it do anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader.core.attempt import Attempt, CheckResult
from grader.core.exercise import Exercise, in_language
from grader.core.submission import Submission
from grader.core.text import clean, one_line
from grader.core.verdict import Verdict
from grader.report.listing import line_of, source_line
from grader.report.results import number

EXPLAINED = 2
"""How many checks are told in full: mending the first ones often mends the rest."""
MAX_PRINTED_LINES = 12
MAX_MESSAGE = 2000
COMMON = "A common misconception:"
OUR_FAULT = "The grader failed here. It is not your fault, and nothing is scored. Try `learn doctor`."
PRINTED = "your code printed"
WELL_DONE = "All checks pass. Well done."

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "red",
    Verdict.ERROR: "red",
    Verdict.TIMEOUT: "red",
    Verdict.CRASHED: "red",
    Verdict.NOT_ATTEMPTED: "dim",
    Verdict.SKIPPED: "dim",
    Verdict.INTERNAL_ERROR: "magenta",
}
SIGNS = {
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✗",
    Verdict.ERROR: "!",
    Verdict.TIMEOUT: "!",
    Verdict.CRASHED: "!",
    Verdict.NOT_ATTEMPTED: "·",
    Verdict.SKIPPED: "-",
    Verdict.INTERNAL_ERROR: "?",
}
_PLAIN = {"✓": "+", "✗": "x", "·": ".", "…": "...", "–": "-", "→": "->", "’": "'", "“": '"', "”": '"'}


@dataclass(frozen=True)
class ExerciseRow:
    """One line of `learn list`."""

    number: int
    name: str
    title: str
    status: Verdict | None = None
    """None where it has not been checked yet."""
    score: float | None = None
    max_score: float = 0.0
    current: bool = False


def show_attempt(
    attempt: Attempt,
    exercise: Exercise,
    console: Console,
    language: str = "en",
    submission: Submission | None = None,
) -> None:
    """Tell a learner how their attempt went. With `submission`, the line that a check points to is quoted."""
    voice = _Voice(console)
    _headline(voice, attempt, exercise, language)
    for check in attempt.checks:
        _line(voice, check)
    if attempt.note:
        voice.say()
        voice.block(clean(attempt.note, MAX_MESSAGE), "yellow")
    if attempt.status is Verdict.NOT_ATTEMPTED:
        voice.say()
        voice.say(nothing_yet(attempt))
    else:
        _explain(voice, attempt, exercise, language, submission)
    _next(voice, attempt, exercise)


def show_exercise_list(rows: Iterable[ExerciseRow], console: Console) -> None:
    """The exercises in order, with what has been done and where the learner is."""
    voice = _Voice(console)
    listed = list(rows)
    for row in listed:
        here = "→" if row.current else " "
        sign = SIGNS[row.status] if row.status else " "
        text = Text().append(f"{here} ", "bold")
        text.append(f"{sign} ", _STYLES[row.status] if row.status else "")
        text.append(f"{row.number:02d} ", "dim")
        text.append(one_line(row.title, 60), "bold" if row.current else "")
        if row.status and row.status is not Verdict.PASSED:
            points = "" if row.score is None else f", {number(row.score)} of {number(row.max_score)}"
            text.append(f"  {row.status.words}{points}", "dim")
        voice.say(text)
    done = sum(row.status is Verdict.PASSED for row in listed)
    voice.say()
    voice.say(f"{done} of {len(listed)} done.")


class _Voice:
    """A console that is asked only for what it can show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._encoding = console.encoding or "ascii"
        self._unicode = self._encoding.lower().replace("-", "").startswith("utf")

    def say(self, text: Text | str = "", indent: int = 0) -> None:
        line = text if isinstance(text, Text) else Text(text)
        if not self._unicode:
            line = self._writable(line)
        if self._console.is_terminal:
            self._console.print(Padding(line, (0, 0, 0, indent), expand=False) if indent else line)
            return
        # Whoever reads a pipe or a log wants the lines that were written, not 80 columns of them.
        for part in line.split("\n", allow_blank=True) or [line]:
            self._console.print(Text(" " * indent).append_text(part), soft_wrap=True)

    def block(self, text: str, style: str = "", indent: int = 2) -> None:
        self.say(Text(text.strip("\n").expandtabs(4), style), indent)

    def _writable(self, text: Text) -> Text:
        """The same text and styles in signs that the console's encoding has."""
        written = Text()
        for part in text.render(self._console):
            plain = "".join(_PLAIN.get(ch, ch) for ch in part.text)
            plain = plain.encode(self._encoding, "replace").decode(self._encoding)
            written.append(plain, part.style)
        return written


def _headline(voice: _Voice, attempt: Attempt, exercise: Exercise, language: str) -> None:
    line = Text().append(title_of(exercise, language), "bold")
    line.append(f"  {score_of(attempt)}", "magenta" if attempt.score is None else "dim")
    voice.say(line)
    voice.say()


def _line(voice: _Voice, check: CheckResult) -> None:
    line = Text("  ")
    line.append(f"{SIGNS[check.status]} ", f"bold {_STYLES[check.status]}")
    line.append(one_line(check.title, 100))
    line.append(f"  {points_of(check)}", "dim")
    if check.status not in (Verdict.PASSED, Verdict.FAILED):
        line.append(f"  {check.status.words}", _STYLES[check.status])
    voice.say(line)


def _explain(voice: _Voice, attempt: Attempt, exercise: Exercise, language: str, submission: Submission | None) -> None:
    told, left = explained(attempt, exercise, language)
    for check, said in told:
        _tell(voice, check, said, submission)
    if left:
        voice.say()
        voice.say(Text(left, "dim"))


# -- the words, which a notebook's page shows too (cell.py)


def title_of(exercise: Exercise, language: str) -> str:
    return f"{exercise.number:02d} {one_line(in_language(exercise.title, language))}"


def score_of(attempt: Attempt) -> str:
    if attempt.score is None:
        return "not scored"
    return f"{number(attempt.score)} of {number(attempt.max_score)} points"


def points_of(check: CheckResult) -> str:
    if not check.counts:
        return "not counted here"
    if check.status is Verdict.INTERNAL_ERROR:
        return "not scored"
    return f"{number(check.points)}/{number(check.max_points)}"


def nothing_yet(attempt: Attempt) -> str:
    return f"Nothing is written yet: this is where everybody starts. Open {one_line(attempt.path)}."


def explained(attempt: Attempt, exercise: Exercise, language: str) -> tuple[list[tuple[CheckResult, str]], str]:
    """The checks to be told in full, each with its message, and a sentence about those that are not."""
    wanting = [check for check in attempt.checks if check.status is not Verdict.PASSED]
    # What waits for another check says nothing of its own as long as that one is explained.
    speaking = [check for check in wanting if check.status is not Verdict.SKIPPED] or wanting
    told: list[tuple[CheckResult, str]] = []
    for check in speaking:
        if len(told) == EXPLAINED:
            break
        said = _message(check, exercise, language)
        # A file that does not load fails every check with the same words: once is enough.
        again = said in (words for _, words in told) or said in clean(attempt.note, MAX_MESSAGE)
        if not (said and again):
            told.append((check, said))
    left = len(speaking) - len(told)
    if not told or left <= 0:
        return told, ""
    return told, f"{left} more can wait: mend {'this' if len(told) == 1 else 'these'} first."


def _message(check: CheckResult, exercise: Exercise, language: str) -> str:
    texts = exercise.misconceptions.get(check.misconception) if check.misconception else None
    # The judge wrote the message in English; a misconception may have its sentence in the learner's language.
    if texts and (not check.message or (language in texts and language != "en")):
        return clean(in_language(texts, language), MAX_MESSAGE).strip()
    return clean(check.message, MAX_MESSAGE).strip()


def _tell(voice: _Voice, check: CheckResult, said: str, submission: Submission | None) -> None:
    voice.say()
    head = Text().append(f"{SIGNS[check.status]} ", f"bold {_STYLES[check.status]}")
    head.append(one_line(check.title, 100), "bold")
    voice.say(head)
    if check.status is Verdict.INTERNAL_ERROR:
        voice.block(OUR_FAULT)
    if said and check.misconception:
        voice.block(COMMON, "bold yellow")
        voice.block(said, "yellow", indent=4)
    elif said:
        voice.block(said)
    elif check.status is not Verdict.INTERNAL_ERROR:
        voice.block(unsaid(check))
    if check.where:
        where = Text().append(one_line(check.where, 60), "cyan")
        if has_caret(check):
            # A SyntaxError: the caret stands under the sign that Python stumbled over.
            voice.say(where, indent=2)
            voice.block(check.traceback, indent=4)
        else:
            quoted = quoted_line(check, submission)
            voice.say(where.append(f":  {quoted}" if quoted else ""), indent=2)
    if check.given:
        voice.say(Text("given", "cyan"), indent=2)
        voice.block(few_lines(check.given), indent=4)
    if check.printed.strip():
        voice.say(Text(PRINTED, "cyan"), indent=2)
        voice.block(few_lines(check.printed), "dim", indent=4)


def unsaid(check: CheckResult) -> str:
    return f"This check {check.status.words}."


def has_caret(check: CheckResult) -> bool:
    return check.traceback.endswith("^")


def quoted_line(check: CheckResult, submission: Submission | None) -> str:
    """The line that a check points to, where its text is at hand."""
    line = line_of(check.where, submission)
    return source_line(submission, line).strip() if submission and line else ""


def few_lines(text: str) -> str:
    """The first lines of what a learner's code said, and how many there are more."""
    lines = clean(text, 4000).rstrip().split("\n")
    shown = [line if len(line) <= 300 else line[:300] + " …" for line in lines[:MAX_PRINTED_LINES]]
    if len(lines) > len(shown):
        shown.append(f"… and {len(lines) - len(shown)} more lines")
    return "\n".join(shown)


def next_steps(attempt: Attempt, exercise: Exercise) -> list[tuple[str, str]]:
    """Commands, each with what it is for."""
    nr = f"{exercise.number:02d}"
    if attempt.status is Verdict.PASSED:
        return [("learn next", "go on"), (f"learn solution {nr}", "compare with ours")]
    if attempt.status is Verdict.INTERNAL_ERROR:
        return [("learn doctor", "what this machine lacks"), (f"learn check {nr}", "try again")]
    steps = [(f"learn check {nr}", "after your next change")]
    if exercise.hints:
        count = len(exercise.hints)
        steps.insert(0, (f"learn hint {nr}", "one hint" if count == 1 else f"{count} hints, one at a time"))
    return steps


def _next(voice: _Voice, attempt: Attempt, exercise: Exercise) -> None:
    steps = next_steps(attempt, exercise)
    voice.say()
    if attempt.status is Verdict.PASSED:
        voice.say(Text(WELL_DONE, "bold green"))
    width = max(len(command) for command, _ in steps)
    for place, (command, why) in enumerate(steps):
        line = Text().append("next  " if place == 0 else "      ", "dim")
        line.append(command, "bold cyan")
        line.append(" " * (width - len(command) + 2))
        voice.say(line.append(why, "dim"))
