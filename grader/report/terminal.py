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
_SIGNS = {
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
        voice.say(f"Nothing is written yet: this is where everybody starts. Open {one_line(attempt.path)}.")
    else:
        _explain(voice, attempt, exercise, language, submission)
    _next(voice, attempt, exercise)


def show_exercise_list(rows: Iterable[ExerciseRow], console: Console) -> None:
    """The exercises in order, with what has been done and where the learner is."""
    voice = _Voice(console)
    listed = list(rows)
    for row in listed:
        here = "→" if row.current else " "
        sign = _SIGNS[row.status] if row.status else " "
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
    title = f"{exercise.number:02d} {one_line(in_language(exercise.title, language))}"
    line = Text().append(title, "bold")
    if attempt.score is None:
        line.append("  not scored", "magenta")
    else:
        line.append(f"  {number(attempt.score)} of {number(attempt.max_score)} points", "dim")
    voice.say(line)
    voice.say()


def _line(voice: _Voice, check: CheckResult) -> None:
    line = Text("  ")
    line.append(f"{_SIGNS[check.status]} ", f"bold {_STYLES[check.status]}")
    line.append(one_line(check.title, 100))
    if not check.counts:
        points = "not counted here"
    elif check.status is Verdict.INTERNAL_ERROR:
        points = "not scored"
    else:
        points = f"{number(check.points)}/{number(check.max_points)}"
    line.append(f"  {points}", "dim")
    if check.status not in (Verdict.PASSED, Verdict.FAILED):
        line.append(f"  {check.status.words}", _STYLES[check.status])
    voice.say(line)


def _explain(voice: _Voice, attempt: Attempt, exercise: Exercise, language: str, submission: Submission | None) -> None:
    wanting = [check for check in attempt.checks if check.status is not Verdict.PASSED]
    # What waits for another check says nothing of its own as long as that one is explained.
    speaking = [check for check in wanting if check.status is not Verdict.SKIPPED] or wanting
    told: set[str] = set()
    for check in speaking:
        if len(told) == EXPLAINED:
            break
        said = _message(check, exercise, language)
        # A file that does not load fails every check with the same words: once is enough.
        if (said and said in told) or (attempt.note and said and said in clean(attempt.note, MAX_MESSAGE)):
            continue
        told.add(said or check.id)
        _tell(voice, check, said, submission)
    left = len(speaking) - len(told)
    if told and left > 0:
        voice.say()
        voice.say(Text(f"{left} more can wait: mend {'this' if len(told) == 1 else 'these'} first.", "dim"))


def _message(check: CheckResult, exercise: Exercise, language: str) -> str:
    texts = exercise.misconceptions.get(check.misconception) if check.misconception else None
    # The judge wrote the message in English; a misconception may have its sentence in the learner's language.
    if texts and (not check.message or (language in texts and language != "en")):
        return clean(in_language(texts, language), MAX_MESSAGE).strip()
    return clean(check.message, MAX_MESSAGE).strip()


def _tell(voice: _Voice, check: CheckResult, said: str, submission: Submission | None) -> None:
    voice.say()
    head = Text().append(f"{_SIGNS[check.status]} ", f"bold {_STYLES[check.status]}")
    head.append(one_line(check.title, 100), "bold")
    voice.say(head)
    if check.status is Verdict.INTERNAL_ERROR:
        voice.block("The grader failed here. It is not your fault, and nothing is scored. Try `learn doctor`.")
    if said and check.misconception:
        voice.block("A common misconception:", "bold yellow")
        voice.block(said, "yellow", indent=4)
    elif said:
        voice.block(said)
    elif check.status is not Verdict.INTERNAL_ERROR:
        voice.block(f"This check {check.status.words}.")
    if check.where:
        line = line_of(check.where, submission)
        quoted = source_line(submission, line).strip() if submission and line else ""
        where = Text().append(one_line(check.where, 60), "cyan")
        if check.traceback.endswith("^"):
            # A SyntaxError: the caret stands under the sign that Python stumbled over.
            voice.say(where, indent=2)
            voice.block(check.traceback, indent=4)
        else:
            voice.say(where.append(f":  {quoted}" if quoted else ""), indent=2)
    if check.given:
        voice.say(Text("given", "cyan"), indent=2)
        voice.block(_few_lines(check.given), indent=4)
    if check.printed.strip():
        voice.say(Text("your code printed", "cyan"), indent=2)
        voice.block(_few_lines(check.printed), "dim", indent=4)


def _few_lines(text: str) -> str:
    lines = clean(text, 4000).rstrip().split("\n")
    shown = [line if len(line) <= 300 else line[:300] + " …" for line in lines[:MAX_PRINTED_LINES]]
    if len(lines) > len(shown):
        shown.append(f"… and {len(lines) - len(shown)} more lines")
    return "\n".join(shown)


def _next(voice: _Voice, attempt: Attempt, exercise: Exercise) -> None:
    nr = f"{exercise.number:02d}"
    if attempt.status is Verdict.PASSED:
        steps = [("learn next", "go on"), (f"learn solution {nr}", "compare with ours")]
    elif attempt.status is Verdict.INTERNAL_ERROR:
        steps = [("learn doctor", "what this machine lacks"), (f"learn check {nr}", "try again")]
    else:
        steps = [(f"learn check {nr}", "after your next change")]
        if exercise.hints:
            count = len(exercise.hints)
            steps.insert(0, (f"learn hint {nr}", "one hint" if count == 1 else f"{count} hints, one at a time"))
    voice.say()
    if attempt.status is Verdict.PASSED:
        voice.say(Text("All checks pass. Well done.", "bold green"))
    width = max(len(command) for command, _ in steps)
    for place, (command, why) in enumerate(steps):
        line = Text().append("next  " if place == 0 else "      ", "dim")
        line.append(command, "bold cyan")
        line.append(" " * (width - len(command) + 2))
        voice.say(line.append(why, "dim"))
