"""Comparing what the learner gave with what was wanted, told in the order kind, shape, dtype, device, value.

Nothing is broadcast and nothing is squeezed before it is compared. Tolerances follow dtype and device: those
of `torch.testing.assert_close` on the CPU; on CUDA, where sums are taken in another order and TF32 may be
on, 100 times wider for float32.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from grader.core.exchange import ArraySeen, Device, DType, Handle, Outcome, Reply, ScratchPath, TensorSeen

_TOLERANCE = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


@dataclass(frozen=True)
class Closeness:
    """How near two numbers must be: |yours - wanted| <= atol + rtol * |wanted|. None: by dtype and device."""

    rtol: float | None = None
    atol: float | None = None

    def of(self, dtype: str, device: str = "cpu") -> tuple[float, float]:
        rtol, atol = _TOLERANCE.get(dtype, (0.0, 0.0))
        if device.startswith("cuda") and dtype in ("float32", "complex64"):
            rtol, atol = rtol * 100, atol * 10
        return (
            rtol if self.rtol is None else self.rtol,
            atol if self.atol is None else self.atol,
        )


@dataclass(frozen=True)
class Looks:
    """Which claims about a tensor are compared beside shape, dtype, device and values."""

    requires_grad: bool = False
    is_leaf: bool = False
    grad: bool = False
    strides: bool = False
    """Only whether the tensor is contiguous."""
    shares: bool = False
    """Whether it shares storage with the same arguments."""
    dtype: bool = True


EVERYTHING = Looks(requires_grad=True, is_leaf=True, grad=True, strides=True, shares=True)


def difference(  # noqa: PLR0911, PLR0912 - one arm for each kind of value
    yours: Any,
    wanted: Any,
    what: str = "the result",
    close: Closeness = Closeness(),
    looks: Looks = Looks(),
) -> str | None:
    """The first difference as a sentence for the learner, or None where there is none."""
    if isinstance(wanted, torch.Tensor):
        wanted = seen(wanted)
    if isinstance(wanted, TensorSeen):
        if isinstance(yours, TensorSeen):
            return _tensors(yours, wanted, what, close, looks)
        return f"{what} is {kind_of(yours)}, but a tensor of shape {shape_text(wanted.shape)} was asked for."
    if isinstance(wanted, ArraySeen):
        if not isinstance(yours, ArraySeen):
            return f"{what} is {kind_of(yours)}, but a NumPy array was asked for."
        if yours.shape != wanted.shape:
            return f"{what} has shape {shape_text(yours.shape)}, expected {shape_text(wanted.shape)}."
        if yours.dtype != wanted.dtype:
            return f"{what} has dtype {yours.dtype}, expected {wanted.dtype}."
        if looks.shares and yours.shares != wanted.shares:
            return _sharing(yours.shares, wanted.shares, what)
        return _values(torch.from_numpy(yours.value), torch.from_numpy(wanted.value), wanted.dtype, "cpu", what, close)
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str | bytes | DType | Device | ScratchPath):
        if type(yours) is not type(wanted):
            return f"{what} is {kind_of(yours)}, but {kind_of(wanted)} was asked for."
        return None if yours == wanted else f"{what} is {show(yours)}, expected {show(wanted)}."
    if isinstance(wanted, int | float | complex):
        return _numbers(yours, wanted, what, close)
    if isinstance(wanted, list | tuple):
        if not isinstance(yours, list | tuple):
            return f"{what} is {kind_of(yours)}, but {kind_of(wanted)} was asked for."
        if len(yours) != len(wanted):
            return f"{what} has {count(len(yours), 'item')}, expected {len(wanted)}."
        for index, (mine, other) in enumerate(zip(yours, wanted, strict=True)):
            if told := difference(mine, other, f"item {index} of {what}", close, looks):
                return told
        return None
    if isinstance(wanted, dict):
        return _dicts(yours, wanted, what, close, looks)
    if isinstance(wanted, frozenset):
        return None if yours == wanted else f"{what} is {show(yours)}, expected {show(wanted)}."
    if isinstance(wanted, Handle):
        if not isinstance(yours, Handle):
            return f"{what} is {kind_of(yours)}, but an object of class {wanted.kind} was asked for."
        return None if yours.kind == wanted.kind else f"{what} is of class {yours.kind}, expected {wanted.kind}."
    raise TypeError(f"a {type(wanted).__name__} cannot be compared")


def same_reply(yours: Reply, other: Reply, *, strictly: bool) -> bool:
    """Whether two replies tell the same story: the outcome, the values, the changed arguments, the error."""
    if yours.outcome is not other.outcome:
        return False
    if yours.outcome is Outcome.RAISED:
        assert yours.raised is not None
        assert other.raised is not None
        return yours.raised.kind == other.raised.kind and _letters(yours.raised.message) == _letters(
            other.raised.message
        )
    if yours.outcome is not Outcome.RETURNED:
        return True
    match yours.value, other.value:
        case [Reply(), *_] as mine, [Reply(), *_] as its:  # of requests that were asked together
            return len(mine) == len(its) and all(map(partial(same_reply, strictly=strictly), mine, its))
    looks = EVERYTHING if strictly else Looks()
    try:
        return (
            difference(yours.value, other.value, looks=looks) is None
            and difference(other.value, yours.value, looks=looks) is None
            and difference(yours.args, other.args, looks=looks) is None
            and difference(dict(yours.kwargs), dict(other.kwargs), looks=looks) is None
        )
    except (TypeError, ValueError, ArithmeticError, RuntimeError):
        return False


def seen(tensor: torch.Tensor) -> TensorSeen:
    """A tensor of the judge's own as an observation."""
    plain = tensor.detach()
    return TensorSeen(
        plain.cpu(),
        str(plain.dtype).removeprefix("torch."),
        tuple(plain.shape),
        tuple(plain.stride()),
        str(plain.device),
        tensor.requires_grad,
        tensor.is_leaf,
    )


def kind_of(value: Any) -> str:
    """What a value is, in words: "a tensor of shape (2, 3)", "None", "a list of 4"."""
    if isinstance(value, TensorSeen):
        return f"a tensor of shape {shape_text(value.shape)}"
    if isinstance(value, ArraySeen):
        return f"a NumPy array of shape {shape_text(value.shape)}"
    if value is None:
        return "None (is a return missing?)"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Handle):
        return f"an object of class {value.kind}"
    names = {bool: "True or False", int: "an int", float: "a float", str: "a text", dict: "a dict", bytes: "bytes"}
    name = names.get(type(value))
    return name or f"a {type(value).__name__}"


def shape_text(shape: tuple[int, ...]) -> str:
    if not shape:
        return "() (0-d)"
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def show(value: Any, limit: int = 160) -> str:
    """A value as short text for the learner."""
    if isinstance(value, torch.Tensor):
        value = seen(value)
    if isinstance(value, TensorSeen):
        if value.value.numel() <= 24:
            text = " ".join(str(value.value).split())
            return text if value.dtype in ("float32", "int64", "bool") else text[:-1] + f", dtype={value.dtype})"
        return f"tensor of shape {shape_text(value.shape)}, {value.dtype}"
    if isinstance(value, ArraySeen):
        return f"array of shape {shape_text(value.shape)}, {value.dtype}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        text = f"[{', '.join(show(item) for item in value[:8])}{', …' if len(value) > 8 else ''}]"
    elif isinstance(value, tuple):
        text = f"({', '.join(show(item) for item in value[:8])}{', …' if len(value) > 8 else ''})"
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in list(value.items())[:8]) + "}"
    elif isinstance(value, Handle):
        text = f"<{value.kind}>"
    elif isinstance(value, bytes):
        text = f"{len(value)} bytes"
    else:
        text = repr(value)
    return text if len(text) <= limit else text[:limit] + " …"


# ---------------------------------------------------------------------------------------------- the parts


def _tensors(yours: TensorSeen, wanted: TensorSeen, what: str, close: Closeness, looks: Looks) -> str | None:  # noqa: PLR0911
    if yours.shape != wanted.shape:
        return f"{what} has shape {shape_text(yours.shape)}, expected {shape_text(wanted.shape)}."
    if looks.dtype and yours.dtype != wanted.dtype:
        return f"{what} has dtype {yours.dtype}, expected {wanted.dtype}."
    if yours.device.split(":")[0] != wanted.device.split(":")[0]:
        return f"{what} is on {yours.device}, expected {wanted.device}."
    if told := _values(yours.value, wanted.value, wanted.dtype, yours.device, what, close):
        return told
    if looks.requires_grad and yours.requires_grad != wanted.requires_grad:
        return f"{what} has requires_grad={yours.requires_grad}, expected {wanted.requires_grad}."
    if looks.is_leaf and yours.is_leaf != wanted.is_leaf:
        return f"{what} has is_leaf={yours.is_leaf}, expected {wanted.is_leaf}."
    if looks.strides and yours.is_contiguous != wanted.is_contiguous:
        return (
            f"{what} is {'' if yours.is_contiguous else 'not '}contiguous, "
            f"expected {'' if wanted.is_contiguous else 'not '}contiguous."
        )
    if looks.shares and yours.shares != wanted.shares:
        return _sharing(yours.shares, wanted.shares, what)
    if looks.grad:
        if (yours.grad is None) != (wanted.grad is None):
            return f"{what}.grad is {'None' if yours.grad is None else 'there'}, expected the opposite."
        if yours.grad is not None and wanted.grad is not None:
            return _tensors(yours.grad, wanted.grad, f"{what}.grad", close, Looks())
    return None


def _sharing(yours: tuple[str, ...], wanted: tuple[str, ...], what: str) -> str:
    if not yours:
        return f"{what} is a copy, but it should share memory with the input (argument {', '.join(wanted)})."
    if not wanted:
        return f"{what} shares memory with the input (argument {', '.join(yours)}), but it should be a copy."
    return f"{what} shares memory with argument {', '.join(yours)}, expected argument {', '.join(wanted)}."


def _values(
    yours: torch.Tensor, wanted: torch.Tensor, dtype: str, device: str, what: str, close: Closeness
) -> str | None:
    # Nearly always true, and twenty times faster than looking how near each value is.
    if torch.equal(yours, wanted):
        return None
    rtol, atol = close.of(dtype, device)
    if yours.dtype != wanted.dtype:
        yours = yours.to(wanted.dtype)
    agree = torch.isclose(yours, wanted, rtol=rtol, atol=atol, equal_nan=True)
    if bool(agree.all()):
        return None
    wrong = int((~agree).sum())
    if yours.dim() == 0:
        return f"{what} is {number(yours)}, expected {number(wanted)}."
    place = tuple(int(i) for i in (~agree).nonzero()[0])
    where = ", ".join(map(str, place))
    return (
        f"{what} has the right shape, but {wrong} of {count(yours.numel(), 'value')} "
        f"{'differs' if wrong == 1 else 'differ'}: "
        f"at [{where}] it is {number(yours[place])}, expected {number(wanted[place])}."
    )


def number(value: torch.Tensor) -> str:
    item = value.item()
    return f"{item:.6g}" if isinstance(item, float) else str(item)


def _numbers(yours: Any, wanted: Any, what: str, close: Closeness) -> str | None:
    if isinstance(yours, TensorSeen) and yours.shape == ():
        return f"{what} is a 0-d tensor, but a Python number was asked for (.item() gives it)."
    if isinstance(yours, bool) or not isinstance(yours, int | float | complex):
        return f"{what} is {kind_of(yours)}, but a number was asked for."
    if isinstance(wanted, int) and isinstance(yours, float) and not yours.is_integer():
        return f"{what} is {show(yours)}, expected {show(wanted)}."
    if isinstance(wanted, complex) or isinstance(yours, complex):
        return None if yours == wanted else f"{what} is {yours}, expected {wanted}."
    # Python floats come out of tensors by .item(), so they carry float32's accuracy.
    rtol, atol = (0.0, 0.0) if isinstance(wanted, int) else close.of("float32")
    both_nan = isinstance(yours, float) and math.isnan(yours) and math.isnan(wanted)
    try:
        near = math.isclose(yours, wanted, rel_tol=max(rtol, 1e-12), abs_tol=atol)
    except OverflowError:  # an int that fits no float is near nothing but itself
        near = False
    if both_nan or yours == wanted or near:
        return None
    return f"{what} is {show(yours)}, expected {show(wanted)}."


def _dicts(yours: Any, wanted: Mapping[Any, Any], what: str, close: Closeness, looks: Looks) -> str | None:
    if not isinstance(yours, dict):
        return f"{what} is {kind_of(yours)}, but a dict was asked for."
    missing = [key for key in wanted if key not in yours]
    if missing:
        return f"{what} lacks {', '.join(map(repr, missing[:4]))}."
    extra = [key for key in yours if key not in wanted]
    if extra:
        return f"{what} has {', '.join(map(repr, extra[:4]))}, which was not asked for."
    for key, value in wanted.items():
        if told := difference(yours[key], value, f"{key!r} in {what}", close, looks):
            return told
    return None


def _letters(message: str) -> str:
    """An error's message without its numbers, which change with the inputs."""
    return "".join(ch for ch in message if not ch.isdigit())[:200]
