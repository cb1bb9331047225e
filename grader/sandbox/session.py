"""Answers requests about one file: the part that runs a learner's code, in whatever process it is put.

A child of the zygote and a spawned worker run it on a learner's file; the judge runs it in its own process
on the reference solution only (`client.LocalBackend`), so that both are observed by the same code.
"""

import linecache
import marshal
import os
import random
import re
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grader.core.exchange import Handle, Outcome, Raised, Reply, Request, Word
from grader.sandbox.inward import Unpacker, pack
from grader.sandbox.values import Encoder, Malformed, Observed, ValueRefused

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
MODULE = "answer"
"""The name under which the learner's file is a module."""
SCENES = "scenes"


class Refused(Exception):
    """What was asked cannot be done; the text says why, to the learner."""


# --------------------------------------------------------------------------- requests and replies as bytes


def encode_request(request: Request) -> bytes:
    """For the judge. Raises ValueRefused where a check passes something that is not plain.

    Remembered in the request, which goes to the learner's child, to the reference and to known answers.
    """
    known: bytes | None = request.__dict__.get("_encoded")
    if known is not None:
        return known
    args = map(encode_request, request.args) if request.word is Word.EACH else request.args
    encoded = pack((str(request.word), request.name, request.handle, tuple(args), dict(request.kwargs), request.seed))
    object.__setattr__(request, "_encoded", encoded)
    return encoded


def decode_reply(data: bytes, request: Request | None = None) -> Reply:
    """For the judge, from bytes that a learner may have written, as a reply to `request`. Raises Malformed."""
    reply = _decode_reply(data)
    if request is None or request.word is not Word.EACH or reply.outcome is not Outcome.RETURNED:
        return reply
    match reply.value:
        case list(parts) if len(parts) == len(request.args) and all(isinstance(part, bytes) for part in parts):
            return _with_value(reply, [_decode_reply(part) for part in parts])
    raise Malformed("not the replies to each request")


def _decode_reply(data: bytes) -> Reply:
    value = Observed(data).whole()
    match value:
        case (str(outcome), result, tuple(args), dict(kwargs), raised, str(reason)):
            if outcome not in (Outcome.RETURNED, Outcome.RAISED, Outcome.REFUSED):
                raise Malformed("an outcome that only the judge can find")
            return Reply(Outcome(outcome), result, args, kwargs, _decode_raised(raised), reason)
    raise Malformed("not a reply")


def _encode_reply(encoder: Encoder, reply: Reply) -> bytes:
    raised = reply.raised
    told = raised and (raised.kinds, raised.message, raised.lines, raised.own, raised.column)
    encoder.write((str(reply.outcome), reply.value, reply.args, dict(reply.kwargs), told, reply.reason))
    return bytes(encoder.out)


def _decode_raised(value: object) -> Raised | None:
    match value:
        case None:
            return None
        case (tuple(kinds), str(message), tuple(lines), bool(own), int() | None as column) if (
            len(kinds) < 40
            and len(lines) < 40
            and all(isinstance(kind, str) for kind in kinds)
            and all(isinstance(line, tuple) and list(map(type, line)) == [int, str] for line in lines)
        ):
            return Raised(kinds, message, lines, own, column)
    raise Malformed("not an exception")


# --------------------------------------------------------------------------------------------- the session


class Session:
    """One learner's file, loaded, and the objects that were made with it."""

    def __init__(self, scratch: str, device: str = "cpu") -> None:
        self._scratch = scratch
        self._device = device
        self._module: types.ModuleType | None = None
        self._scenes: types.ModuleType | None = None
        self._file_name = ""
        self._things: list[object] = []

    def answer(self, data: bytes) -> bytes:
        """The bytes of a request to the bytes of its reply. Raises Malformed if they are none."""
        try:
            word, name, handle, args, kwargs, seed = _parts(Unpacker(data, self._device, self._thing, self._path))
        except Refused as refusal:
            return _refusal(str(refusal))
        self._settle(seed)
        value: object = None
        raised = None
        reason = ""
        try:
            value = _HANDLERS[word](self, name, handle, args, kwargs)
            outcome = Outcome.RETURNED
        except Refused as refusal:
            outcome, reason = Outcome.REFUSED, str(refusal)
        except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt too: it is the learner's
            outcome, raised = Outcome.RAISED, self._tell(error)
        for stream in (sys.stdout, sys.stderr):
            try:  # noqa: SIM105 - each request does this, and `suppress` takes longer
                stream.flush()
            except Exception:  # noqa: BLE001 - whatever the learner put there
                pass
        # What the judge itself wrote need not be looked at again.
        seen = () if word in _ONLY_WRITTEN else args
        return self._encode(
            Reply(outcome, value, seen, kwargs, raised, reason),
            forced=word == _NEW and outcome is Outcome.RETURNED,
        )

    # -- one handler for each word

    def _load(self, name: str, handle: int | None, args: Any, kwargs: Any) -> None:
        file_name, source, scenes = args
        self._things.clear()
        self._file_name = file_name
        self._module = None
        linecache.cache[file_name] = (len(source), None, source.splitlines(keepends=True), file_name)
        self._module = _module(MODULE, file_name, lambda: compile(source, file_name, "exec", dont_inherit=True))
        self._scenes = _module(SCENES, "scenes.py", lambda: _scenes_code(scenes)) if scenes else None

    def _call(self, name: str, handle: int | None, args: Any, kwargs: Any) -> object:
        return self._named(name)(*args, **kwargs)

    def _method(self, name: str, handle: int | None, args: Any, kwargs: Any) -> object:
        thing = self._thing(handle)
        # Python looks special methods up on the class, so `thing[0]` and this agree.
        if name.startswith("__") and name.endswith("__"):
            special = getattr(type(thing), name, None)
            if special is None:
                raise Refused(f"your {type(thing).__name__} has no method {name}")
            return special(thing, *args, **kwargs)
        method = getattr(thing, name, None)
        if method is None:
            raise Refused(f"your {type(thing).__name__} has no method {name}")
        return method(*args, **kwargs)

    def _get(self, name: str, handle: int | None, args: Any, kwargs: Any) -> object:
        if handle is None:
            return self._named(name)
        thing = self._thing(handle)
        if not hasattr(thing, name):
            raise Refused(f"your {type(thing).__name__} has no attribute {name}")
        return getattr(thing, name)

    def _scene(self, name: str, handle: int | None, args: Any, kwargs: Any) -> object:
        if self._scenes is None:
            raise LookupError("the exercise has no scenes")
        return getattr(self._scenes, name)(self._module, *args, **kwargs)

    def _files(self, name: str, handle: int | None, args: Any, kwargs: Any) -> None:
        for relative, data in args[0].items():
            path = Path(self._path(relative))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def _read(self, name: str, handle: int | None, args: Any, kwargs: Any) -> bytes:
        path = Path(self._path(name))
        if not path.is_file():
            raise Refused(f"there is no file {name}")
        return path.read_bytes()

    def _each(self, name: str, handle: int | None, args: Any, kwargs: Any) -> list[bytes]:
        return [self.answer(data) for data in args]

    # -- helpers

    def _named(self, name: str) -> Any:
        found = getattr(self._module, name, None)
        if found is None:
            raise Refused(f"your file has no {name}: was it renamed or deleted?")
        return found

    def _thing(self, handle: int | None) -> object:
        if handle is None or handle >= len(self._things):
            raise Refused("the object is gone: the process that held it has ended")
        return self._things[handle]

    def _path(self, relative: str) -> str:
        return os.path.join(self._scratch, relative) if relative else self._scratch

    def _settle(self, seed: int) -> None:
        """Undo what an earlier request may have left in the process, and set every generator."""
        import numpy as np
        import torch

        if not torch.is_grad_enabled():
            torch.set_grad_enabled(True)
        if torch.get_default_dtype() is not torch.float32:
            torch.set_default_dtype(torch.float32)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.default_generator.manual_seed(seed)
        if self._device != "cpu":
            torch.cuda.manual_seed_all(seed)

    def _encode(self, reply: Reply, *, forced: bool) -> bytes:
        encoder = Encoder(self._describe, _places(reply.args, reply.kwargs), self._scratch)
        try:
            return _encode_reply(encoder, _with_value(reply, self._describe(reply.value)) if forced else reply)
        except ValueRefused as refusal:
            return _refusal(f"your answer cannot be looked at: {refusal}")
        except BaseException as error:  # noqa: BLE001 - properties of a learner's object may raise anything
            return _refusal(f"your answer cannot be looked at: {type(error).__name__}")

    def _describe(self, thing: object) -> Handle:
        self._things.append(thing)
        return Handle(len(self._things) - 1, type(thing).__name__, _short(thing))

    def _tell(self, error: BaseException) -> Raised:
        kinds = tuple(kind.__name__ for kind in type(error).__mro__[:20] if kind is not object)
        # The folder has another name in every process; the learner knows the files in it.
        with_message = _text_of(error).replace(self._scratch + os.sep, "").replace(self._scratch, ".")
        if isinstance(error, SyntaxError):
            ours = error.filename == self._file_name
            lines = ((error.lineno or 0, ""),) if ours else ()
            return Raised(kinds, error.msg or with_message, lines, ours, error.offset)
        frames = []
        own = False
        step = error.__traceback__
        while step is not None:
            own = step.tb_frame.f_code.co_filename == self._file_name
            if own:
                frames.append((step.tb_lineno or 0, step.tb_frame.f_code.co_name[:80]))
            step = step.tb_next
        return Raised(kinds, with_message, tuple(frames[:1] + frames[1:][-9:]), own)


_Handler = Callable[[Session, str, int | None, Any, Any], object]
# By the words as plain text: to look up a member of an enumeration takes longer.
_HANDLERS: Mapping[str, _Handler] = {
    word.value: handler
    for word, handler in (
        (Word.LOAD, Session._load),
        (Word.CALL, Session._call),
        (Word.NEW, Session._call),  # a class is called too; its answer is always kept as an object
        (Word.METHOD, Session._method),
        (Word.GET, Session._get),
        (Word.SCENE, Session._scene),
        (Word.FILES, Session._files),
        (Word.READ, Session._read),
        (Word.EACH, Session._each),
    )
}
_NEW = Word.NEW.value
_ONLY_WRITTEN = frozenset(word.value for word in (Word.LOAD, Word.FILES, Word.EACH))


def _parts(unpacker: Unpacker) -> tuple[str, str, int | None, tuple[Any, ...], dict[str, Any], int]:
    match unpacker.whole():
        case (str(word), str(name), int() | None as handle, tuple(args), dict(kwargs), int(seed)) if word in _HANDLERS:
            return word, name, handle, args, kwargs, seed
    raise Malformed("not a request")


def compile_scenes(source: str) -> bytes:
    """For the judge: scenes are compiled once for a class. Marshalled code goes from the judge to the sandbox,
    which runs the same Python, and never the other way.
    """
    return marshal.dumps(compile(source, "scenes.py", "exec", dont_inherit=True))


_kept: dict[bytes, types.CodeType] = {}


def keep_scenes(scenes: bytes) -> None:
    """Let what is forked from this process later have these scenes at hand."""
    _kept[scenes] = marshal.loads(scenes)


def _scenes_code(scenes: bytes) -> types.CodeType:
    code: types.CodeType = _kept.get(scenes) or marshal.loads(scenes)
    return code


def _module(name: str, file_name: str, code: Callable[[], types.CodeType]) -> types.ModuleType:
    """Run `code` as the module `name`, known to `sys.modules` as an import would make it."""
    module = types.ModuleType(name)
    module.__file__ = file_name
    sys.modules[name] = module
    exec(code(), module.__dict__)
    return module


_WITHOUT_STORAGE = frozenset((type(None), bool, int, float, str, bytes))


def _places(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    """The places of the tensors and arrays among the arguments, by the address of their storage."""
    import numpy as np
    import torch

    found: dict[int, tuple[str, ...]] = {}

    def look(place: str, item: Any, depth: int) -> None:
        address = 0
        if type(item) in _WITHOUT_STORAGE:
            return
        if isinstance(item, torch.Tensor):
            if item.layout is torch.strided:
                address = item.untyped_storage().data_ptr()
        elif isinstance(item, np.ndarray):
            address = item.__array_interface__["data"][0]
        elif isinstance(item, list | tuple) and depth < 4:
            for index, part in enumerate(item[:64]):
                look(f"{place}[{index}]", part, depth + 1)
        elif isinstance(item, dict) and depth < 4:
            for key, part in list(item.items())[:64]:
                look(f"{place}[{key!r}]", part, depth + 1)
        if address:
            found[address] = *found.get(address, ()), place

    for index, item in enumerate(args):
        look(str(index), item, 0)
    for name, item in kwargs.items():
        look(name, item, 0)
    return found


def _with_value(reply: Reply, value: object) -> Reply:
    return Reply(reply.outcome, value, reply.args, reply.kwargs, reply.raised, reply.reason)


def _refusal(reason: str) -> bytes:
    return _encode_reply(Encoder(), Reply(Outcome.REFUSED, reason=reason))


def _short(thing: object) -> str:
    try:
        # Where it lies in memory tells nobody anything, and differs from process to process.
        return _ADDRESS.sub("", repr(thing)[:200])
    except BaseException:  # noqa: BLE001 - a learner's __repr__ may do anything
        return ""


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except BaseException:  # noqa: BLE001 - a learner's __str__ may do anything
        return ""
