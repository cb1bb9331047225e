"""`Student`: the learner's code as a check sees it, behind the wall."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.checks.compare import Closeness, Looks, count, difference, kind_of, show
from grader.checks.failures import CheckFailed, StudentEnded
from grader.core.exchange import ArraySeen, Backend, Handle, Outcome, Reply, Request, ScratchPath, TensorSeen, Word

Oracle = Callable[[Sequence[Request]], Reply]
"""What the reference solution replies to the last of some requests, asked in order."""


class Student:
    """Asks the learner's code, and remembers what was asked and what came back.

    Arguments are plain values, tensors and arrays; `path("a.png")` is a file of the scratch folder, `device`
    the device of the run, and a `Thing` or an opaque result may be passed back in. Every method that asks
    raises `StudentEnded` if the code gave no answer, and the check ends with that verdict.
    """

    def __init__(self, backend: Backend, reference: Oracle, seeds: Callable[[int], int], device: str) -> None:
        self._backend = backend
        self._reference = reference
        self._seeds = seeds
        self.device_name = device
        self.log: list[tuple[Request, Reply]] = []

    # -- asking

    def call(self, name: str, *args: Any, raising: str = "", seconds: float | None = None, **kwargs: Any) -> "Answer":
        """Call the learner's function `name`.

        raising: the name of the exception that it must raise, such as "IndexError"; then anything else is a
            failure. seconds: a time limit other than the exercise's.
        """
        return self._ask(Word.CALL, name, None, args, kwargs, raising, seconds)

    def new(self, name: str, *args: Any, seconds: float | None = None, **kwargs: Any) -> "Thing":
        """Make an object of the learner's class `name`; it stays in the sandbox."""
        answer = self._ask(Word.NEW, name, None, args, kwargs, "", seconds)
        if not isinstance(answer.value, Handle):
            raise CheckFailed(f"{name}(…) gave {kind_of(answer.value)}, but an object was expected.")
        return Thing(self, answer.value, answer)

    def get(self, name: str) -> "Answer":
        """Read a name of the learner's file."""
        return self._ask(Word.GET, name, None, (), {}, "", None)

    def scene(self, name: str, *args: Any, raising: str = "", seconds: float | None = None, **kwargs: Any) -> "Answer":
        """Run the function `name` of the exercise's `scenes.py` beside the learner's code."""
        return self._ask(Word.SCENE, name, None, args, kwargs, raising, seconds)

    def calls(self, name: str, *cases: Sequence[Any], raising: str = "") -> "Answers":
        """Call the learner's function `name` once for each of `cases`, lists of its arguments.

        All are asked at once, also those after one that goes wrong: this takes less time than one `call` after
        another, and is for functions of which each call stands for itself. raising: as for `call`.
        """
        return self._ask_each(Word.CALL, name, cases, raising)

    def scenes(self, name: str, *cases: Sequence[Any], raising: str = "") -> "Answers":
        """Run the function `name` of the exercise's `scenes.py` once for each of `cases`, as `calls` does."""
        return self._ask_each(Word.SCENE, name, cases, raising)

    def files(self, files: Mapping[str, bytes]) -> None:
        """Write files into the scratch folder, by relative path."""
        self._ask(Word.FILES, "", None, (dict(files),), {}, "", None)

    def read(self, name: str) -> bytes:
        """The bytes of a file in the scratch folder."""
        value = self._ask(Word.READ, name, None, (), {}, "", None).value
        if not isinstance(value, bytes):
            raise CheckFailed(f"The file {name} could not be read back.")
        return value

    def restart(self) -> None:
        """Go on in a new process: only the scratch folder is left."""
        self._ask(Word.RESTART, "", None, (), {}, "", None)

    @staticmethod
    def path(relative: str = "") -> ScratchPath:
        """A path inside the scratch folder, for an argument; "" is the folder itself."""
        return ScratchPath(relative)

    def _ask(
        self,
        word: Word,
        name: str,
        handle: int | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        raising: str,
        seconds: float | None,
    ) -> "Answer":
        request = Request(
            word, name, handle, _sendable(args), _sendable(dict(kwargs)), self._seeds(len(self.log)), seconds
        )
        reply = self._backend.ask(request)
        self.log.append((request, reply))
        return self._gone_well(Answer(self, len(self.log) - 1, request, reply), raising)

    def _ask_each(self, word: Word, name: str, cases: Sequence[Sequence[Any]], raising: str) -> "Answers":
        seed = self._seeds(len(self.log))
        parts = tuple(
            Request(word, name, args=_sendable(tuple(case)), seed=seed + place) for place, case in enumerate(cases)
        )
        request = Request(Word.EACH, name, args=parts, seed=seed)
        reply = self._backend.ask(request)
        if reply.outcome is Outcome.CRASHED:
            # Which of them it was, and whether those before it went well, is told by asking one after another.
            alone = (self._ask(word, name, None, tuple(case), {}, raising, None) for case in cases)
            return Answers(alone, at_once=bool(raising))
        self.log.append((request, reply))
        if reply.outcome is not Outcome.RETURNED:
            raise StudentEnded(request, reply)
        index = len(self.log) - 1
        together = (
            self._gone_well(Answer(self, index, part, told, place), raising)
            for place, (part, told) in enumerate(zip(parts, reply.value, strict=True))
        )
        return Answers(together, at_once=bool(raising))

    def _gone_well(self, answer: "Answer", raising: str) -> "Answer":
        """The answer, if the learner's code gave one, or raised what it must."""
        request, reply = answer.request, answer.reply
        if request.word is Word.SCENE and reply.raised is not None and not reply.raised.lines:
            # No line of the learner's is to be seen: if the reference fares no better, the scene is to blame.
            theirs = answer.reference
            if theirs.outcome is not Outcome.RETURNED and not raising:
                raise RuntimeError(
                    f"the scene {request.name} fails with the reference too: {theirs.raised or theirs.reason}"
                )
        if not raising:
            if reply.outcome is not Outcome.RETURNED:
                raise StudentEnded(request, reply, answer.given)
        elif reply.outcome is Outcome.RETURNED:
            raise CheckFailed(
                f"{answer.what} gave {kind_of(reply.value)}, but it must raise {raising} here.", answer.given
            )
        elif reply.raised is None or (reply.raised.kind == "NotImplementedError" and reply.raised.own):
            # A stub raises NotImplementedError, which is a RuntimeError: it is still to be written.
            raise StudentEnded(request, reply, answer.given)
        elif raising not in reply.raised.kinds:
            raise CheckFailed(
                f"{answer.what} raised {reply.raised.kind}: {reply.raised.message[:200]}. "
                f"It must raise {raising} here.",
                answer.given,
            )
        return answer

    def expected(self, index: int) -> Reply:
        """What the reference replies to request `index`, having been asked all before it."""
        return self._reference([request for request, _ in self.log[: index + 1]])


class Thing:
    """An object of the learner's class, in the sandbox."""

    def __init__(self, student: Student, handle: Handle, made: "Answer") -> None:
        self._student = student
        self.handle = handle
        self.made = made

    def call(self, name: str, *args: Any, raising: str = "", seconds: float | None = None, **kwargs: Any) -> "Answer":
        """Call its method `name`; special methods such as "__len__" and "__getitem__" too."""
        return self._student._ask(Word.METHOD, name, self.handle.id, args, kwargs, raising, seconds)

    def get(self, name: str) -> "Answer":
        """Read its attribute `name`."""
        return self._student._ask(Word.GET, name, self.handle.id, (), {}, "", None)


@dataclass(frozen=True)
class Answer:
    """What came back: `value` is an observation, `args` and `kwargs` the arguments as they are after the call."""

    student: Student
    index: int
    request: Request
    reply: Reply
    place: int | None = None
    """Among those that were asked together with it."""

    @property
    def value(self) -> Any:
        return self.reply.value

    @property
    def args(self) -> tuple[Any, ...]:
        return self.reply.args

    @property
    def printed(self) -> str:
        return self.reply.printed

    @property
    def expected(self) -> Any:
        """What the reference solution gives for the same requests."""
        return self.reference.value

    @property
    def reference(self) -> Reply:
        """The reference solution's reply to the same requests."""
        reply = self.student.expected(self.index)
        together = self.place is not None and reply.outcome is Outcome.RETURNED
        return reply.value[self.place] if together else reply

    @property
    def tensor(self) -> TensorSeen:
        """The value, which must be a tensor."""
        if not isinstance(self.value, TensorSeen):
            raise CheckFailed(f"{self.what} gave {kind_of(self.value)}, but a tensor was asked for.", self.given)
        return self.value

    @property
    def what(self) -> str:
        """The thing that was asked, as the learner knows it: "join_rows(…)"."""
        name = {"__getitem__": "indexing", "__len__": "len(…)", "__call__": "calling it"}.get(self.request.name)
        if self.request.word is Word.SCENE:
            return "your code"
        return name or f"{self.request.name}(…)"

    @property
    def given(self) -> str:
        """The call with its arguments, where they are small enough to be read; else ""."""
        if self.request.word not in (Word.CALL, Word.NEW, Word.METHOD):
            return ""
        parts = [_given(arg) for arg in self.request.args]
        parts += [f"{key}={_given(value)}" for key, value in self.request.kwargs.items()]
        text = f"{self.request.name}({', '.join(parts)})"
        return text if len(text) <= 600 else ""

    def agrees(
        self,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        say: str = "",
        what: str = "",
        may_change: bool = False,
        requires_grad: bool = False,
        is_leaf: bool = False,
        grad: bool = False,
        strides: bool = False,
        shares: bool = False,
        dtype: bool = True,
    ) -> "Answer":
        """The value, and the arguments after the call, must be those of the reference solution.

        Compared in the order kind, shape, dtype, device, value; then the claims that are asked for. rtol, atol:
        where the tolerance by dtype and device does not fit. say: a sentence to add to a failure. what: the
        name of the value in a failure, where "the result of f(…)" says too little. may_change: the arguments
        may be changed in place.
        """
        looks = Looks(requires_grad, is_leaf, grad, strides, shares, dtype)
        reference = self.reference
        if reference.outcome is not Outcome.RETURNED:
            raise RuntimeError(f"the reference gives no answer to {self.what}: {reference.raised or reference.reason}")
        named = what or f"the result of {self.what}"
        told = difference(self.value, reference.value, named, Closeness(rtol, atol), looks)
        if told is None and not may_change:
            told = self._changed(reference)
        if told is not None:
            raise CheckFailed(f"{_capital(told)}{' ' + say if say else ''}", self.given)
        return self

    def equals(self, wanted: Any, *, rtol: float | None = None, atol: float | None = None, say: str = "") -> "Answer":
        """The value must be `wanted`, which the check itself worked out."""
        told = difference(self.value, wanted, f"the result of {self.what}", Closeness(rtol, atol))
        if told is not None:
            raise CheckFailed(f"{_capital(told)}{' ' + say if say else ''}", self.given)
        return self

    def _changed(self, reference: Reply) -> str | None:
        names = [str(index + 1) for index in range(len(self.reply.args))]
        for name, mine, its in zip(names, self.reply.args, reference.args, strict=False):
            if difference(mine, its) is not None:
                return f"{self.what} changed its argument {name} in place; the caller's data must stay as it was."
        for name, mine in self.reply.kwargs.items():
            if difference(mine, reference.kwargs.get(name)) is not None:
                return f"{self.what} changed its argument {name} in place; the caller's data must stay as it was."
        return None


class Answers:
    """What came back for each of several cases, in their order; to be gone through once.

    Whether a case went well is looked at when its turn comes, after those before it were compared. at_once: now, as
    where an exception is all that is wanted, and nobody may go through them.
    """

    def __init__(self, answers: Iterable[Answer], *, at_once: bool) -> None:
        self._answers = iter(list(answers) if at_once else answers)

    def __iter__(self) -> Iterator[Answer]:
        return self._answers

    def agree(self, *, says: Iterable[str] | None = None, **claims: Any) -> None:
        """Every one agrees with the reference solution; see `Answer.agrees`. says: for each case its own `say`."""
        if says is None:
            for answer in self:
                answer.agrees(**claims)
            return
        for answer, say in zip(self, says, strict=True):
            answer.agrees(say=say, **claims)


def _sendable(value: Any) -> Any:
    """Observations and things as they go back into the sandbox."""
    if isinstance(value, Thing):
        return value.handle
    if isinstance(value, TensorSeen | ArraySeen):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(_sendable(item) for item in value)
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    return value


def _given(value: Any) -> str:
    if isinstance(value, ScratchPath):
        return repr(value.relative)
    return show(value)


def _capital(text: str) -> str:
    """As a sentence begins; a name of the learner's stays as it is written."""
    return text[:1].upper() + text[1:] if text.startswith(("the ", "item ", "your ", "'")) else text


__all__ = ["Answer", "Answers", "Oracle", "Student", "Thing", "count"]
