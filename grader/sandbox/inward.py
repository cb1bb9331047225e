"""Values on their way from the judge into the sandbox, as bytes.

A pickle without classes: Python's own containers, numbers and text, and for whatever else may be sent (tensors,
arrays, handles, paths, devices, dtypes) a persistent id that says in such values what is to be made of it. No name of
any module or class is ever looked up. What comes back out of the sandbox is never read like this, but by
`values.Observed`, which trusts nothing.

Two values that are equal give the same bytes, and nothing is remembered from one place in a value to another: the
same list in two places arrives as two.
"""

import io
import pickle
from collections.abc import Callable
from typing import Any

from grader.core.exchange import Device, DType, Handle, ScratchPath
from grader.sandbox.values import (
    ARRAY_DTYPES,
    DTYPES,
    KINDS,
    MAX_ELEMENTS,
    Malformed,
    ValueRefused,
    flat_tensor,
    raw_values,
)

_AS_THEY_ARE = frozenset((type(None), bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset))
_TOLD: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    complex: lambda value: ("complex", value.real, value.imag),
    memoryview: lambda value: ("plain", bytes(value)),
    Handle: lambda handle: ("handle", handle.id),
    ScratchPath: lambda path: ("path", path.relative),
    Device: lambda device: ("device", device.name),
    DType: lambda dtype: ("dtype", dtype.name),
}


def pack(value: object) -> bytes:
    """Raises ValueRefused for what cannot be sent."""
    file = io.BytesIO()
    packer = _Packer(file, protocol=5)
    packer.fast = True  # without its memory for what it has met already
    try:
        packer.dump(value)
    except (RecursionError, ValueError, pickle.PicklingError) as fault:
        raise ValueRefused(f"the value cannot be sent to the sandbox: {fault}") from fault
    return file.getvalue()


class _Packer(pickle.Pickler):
    def persistent_id(self, value: Any) -> tuple[Any, ...] | None:
        if type(value) in _AS_THEY_ARE:
            return None
        return _TOLD.get(type(value), _foreign)(value)


def _foreign(value: Any) -> tuple[Any, ...]:
    import numpy as np
    import torch

    plain: Any
    for plain in KINDS:
        if isinstance(value, plain):
            return "plain", plain(value)  # a subclass is sent as what it is a kind of
    if isinstance(value, torch.Tensor):
        # A subclass may override every method through __torch_function__; here it has no say.
        with torch._C.DisableTorchFunctionSubclass():
            return _tensor(value)
    if isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.name in ARRAY_DTYPES:
        array = np.asarray(value)
        return "array", array.dtype.name, array.shape, bytearray(array.tobytes())
    if isinstance(value, torch.dtype):
        return "dtype", str(value).removeprefix("torch.")
    if isinstance(value, torch.device):
        return "device", str(value)
    raise ValueRefused(f"a {type(value).__name__} cannot be sent to the sandbox")


def _tensor(tensor: Any) -> tuple[Any, ...]:
    """Its values with its strides, so that a transpose arrives as one, and its gradient."""
    import torch

    name = str(tensor.dtype).removeprefix("torch.")
    if name not in DTYPES or tensor.layout is not torch.strided or tensor.is_meta:
        raise ValueRefused(f"a {type(tensor).__name__} of this kind cannot be sent to the sandbox")
    shape, strides = tuple(tensor.shape), tensor.stride()
    if tensor.numel() > MAX_ELEMENTS:
        raise ValueRefused(f"a tensor has {tensor.numel()} elements, more than {MAX_ELEMENTS}")
    grad = tensor.grad if tensor.is_leaf or tensor.retains_grad else None
    plain = tensor.detach().resolve_conj().resolve_neg()
    strided = bool(plain.numel()) and not plain.is_contiguous()
    if strided:
        span = 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
        plain = plain.as_strided((span,), (1,))
    raw = bytearray(raw_values(plain))
    return "tensor", name, shape, strides if strided else None, tensor.requires_grad, grad, raw


class Unpacker(pickle.Unpickler):
    """Reads one packed value, for the sandbox: tensors are made on the run's device.

    thing: the object of a handle's number. path: the absolute path of one in the scratch folder.
    """

    def __init__(self, data: bytes, device: str, thing: Callable[[int], object], path: Callable[[str], str]) -> None:
        super().__init__(io.BytesIO(data))
        self._device = device
        self._thing = thing
        self._path = path

    def whole(self) -> Any:
        """The value. Raises Malformed where the bytes are none."""
        try:
            return self.load()
        except (pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, OverflowError) as fault:
            raise Malformed(f"not a packed value: {fault}") from fault

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, told: Any) -> Any:
        return _MAKERS[told[0]](self, *told[1:])

    def _tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        strides: tuple[int, ...] | None,
        requires_grad: bool,
        grad: Any,
        raw: bytearray,
    ) -> Any:
        flat = flat_tensor(raw, name)
        if self._device != "cpu":
            flat = flat.to(self._device)
        # Copied into memory that torch allocated, so that it behaves in every way like a tensor made by hand.
        tensor = flat.reshape(shape).clone() if strides is None else flat.clone().as_strided(shape, strides)
        if requires_grad:
            tensor.requires_grad_()
            if grad is not None:
                tensor.grad = grad
        return tensor

    def _array(self, name: str, shape: tuple[int, ...], raw: bytearray) -> Any:
        import numpy as np

        return np.frombuffer(raw, dtype=name).reshape(shape).copy()

    def _torch_device(self, name: str) -> Any:
        import torch

        return torch.device(self._device if name == "run" else name)

    def _torch_dtype(self, name: str) -> Any:
        import torch

        return getattr(torch, name)


_MAKERS: dict[str, Callable[..., Any]] = {
    "tensor": Unpacker._tensor,
    "array": Unpacker._array,
    "handle": lambda unpacker, number: unpacker._thing(number),
    "path": lambda unpacker, relative: unpacker._path(relative),
    "device": Unpacker._torch_device,
    "dtype": Unpacker._torch_dtype,
    "complex": lambda _, real, imaginary: complex(real, imaginary),
    "plain": lambda _, value: value,
}
