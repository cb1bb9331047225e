"""What the judge and the sandbox say to each other: every word that two processes may say has a name here.

The judge asks with a `Request`, the sandbox answers with a `Reply`. A tensor that comes back is a
`TensorSeen`: its values and what can be observed of it, never a live object. `sandbox.inward` turns what is asked
into bytes and back, `sandbox.values` what is answered, `sandbox.session` has one handler for each word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Word(StrEnum):
    """What the judge may ask for."""

    LOAD = "load"
    """Run the learner's file as a module. args: file name, source, compiled scenes (bytes) or None."""
    CALL = "call"
    """Call the function `name` of the learner's file with args and kwargs."""
    NEW = "new"
    """Make an object of the learner's class `name`, and answer with a handle."""
    METHOD = "method"
    """Call the method `name` of the object `handle`."""
    GET = "get"
    """Read the attribute `name` of the object `handle`, or of the learner's module where handle is None."""
    SCENE = "scene"
    """Call the function `name` of the exercise's scenes with the learner's module and args."""
    FILES = "files"
    """Write files into the scratch folder. args: one dict, relative path to bytes."""
    READ = "read"
    """Answer with the bytes of the scratch file `name`."""
    EACH = "each"
    """Answer each of `args`, which are requests, one after another. The value is the list of the replies."""
    RESTART = "restart"
    """Go on in a new process with the same scratch folder: nothing in memory is left."""


class Outcome(StrEnum):
    """How a request ended."""

    RETURNED = "returned"
    RAISED = "raised"
    REFUSED = "refused"
    """The sandbox could not do what was asked (no such function, a result that is too large)."""
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The process died, or what it said was not an answer."""


@dataclass(frozen=True)
class Handle:
    """An object that stays in the sandbox. `kind` is the name of its class, `text` its short repr: claims."""

    id: int
    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class ScratchPath:
    """A path inside the scratch folder; in the sandbox it becomes an absolute `str`."""

    relative: str


@dataclass(frozen=True)
class Device:
    """A torch device, by name. "run" means the device of this run."""

    name: str = "run"


@dataclass(frozen=True)
class DType:
    """A torch dtype, by name without "torch."."""

    name: str


@dataclass(frozen=True)
class TensorSeen:
    """A tensor as the sandbox observed it.

    `value` is a plain CPU tensor made from the bytes that came back (evidence: the judge chose the inputs).
    Everything else is what the sandbox says of the tensor (a claim): fit for a message, and for points only
    where a behaviour confirms it.
    """

    value: Any
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    device: str = "cpu"
    requires_grad: bool = False
    is_leaf: bool = True
    grad_fn: str | None = None
    grad: "TensorSeen | None" = None
    shares: tuple[str, ...] = ()
    """Arguments whose storage it shares, by place: "0", "1[2]", "x"."""
    kind: str = "Tensor"

    @property
    def is_contiguous(self) -> bool:
        """Whether the strides are those of row-major order."""
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != expected:
                return 0 in self.shape
            expected *= max(size, 1)
        return True


@dataclass(frozen=True)
class ArraySeen:
    """A NumPy array as the sandbox observed it; `value` is a NumPy array, `dtype` its name."""

    value: Any
    dtype: str
    shape: tuple[int, ...]
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class Raised:
    """An exception of the learner's code: `kinds` are the names of its class and of the classes above it."""

    kinds: tuple[str, ...]
    message: str
    lines: tuple[tuple[int, str], ...] = ()
    """Frames in the learner's own file, outermost first: line number, function."""
    own: bool = False
    """Whether a line of the learner's file raised it, and not a library that the line called."""
    column: int | None = None
    """For a SyntaxError."""

    @property
    def kind(self) -> str:
        return self.kinds[0] if self.kinds else "Exception"


@dataclass(frozen=True)
class Request:
    word: Word
    name: str = ""
    handle: int | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    """Of the global random generators, set anew before each request."""
    seconds: float | None = None
    """Time limit where it differs from the exercise's."""


@dataclass(frozen=True)
class Reply:
    outcome: Outcome
    value: Any = None
    args: tuple[Any, ...] = ()
    """The arguments as they are after the call, so that a changed input is seen."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    raised: Raised | None = None
    reason: str = ""
    """For REFUSED, TIMEOUT and CRASHED."""
    printed: str = ""


class Backend(Protocol):
    """Whoever answers requests: a confined child, or for our own code the judge's own process."""

    def ask(self, request: Request) -> Reply: ...
