"""Plain values as bytes, and back: what may come out of the sandbox to the judge, and nothing else.

One tag byte, then the value, little-endian. Never pickle, never `torch.load`: decoding makes numbers, text,
lists, dicts, and observations of tensors from raw bytes with a whitelisted dtype, so no code, subclass, hook or
`__eq__` can cross. Every count is checked against what is there before anything is allocated; nesting, items,
dimensions and elements are capped; bytes left over are an error.

The other way, from the judge, whom the sandbox may trust, values go as `inward` has them.
"""

import struct
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from grader.core.exchange import ArraySeen, Device, DType, Handle, ScratchPath, TensorSeen

MAX_DEPTH = 24
MAX_ITEMS = 200_000
MAX_DIMS = 8
MAX_ELEMENTS = 16 * 1024 * 1024
MAX_TEXT = 1024 * 1024
MAX_BARE_KEYS = 4096
"""Keys and items of sets in one value that are neither text nor bytes. The hashes of numbers and of tuples hold no
secret, so whoever writes the bytes can choose thousands that collide, and a dict of them takes minutes to build."""

# The place in this list is the code on the wire: only ever add at the end.
DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
_ITEM_SIZE = (1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16)
_CODE = {name: code for code, name in enumerate(DTYPES)}
ARRAY_DTYPES = (
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip

_REQUIRES_GRAD, _LEAF, _HAS_GRAD = 1, 2, 4

_U8, _U32, _U64, _I64, _F64 = (struct.Struct(f) for f in ("<B", "<I", "<Q", "<q", "<d"))
_TAGGED_U32, _TAGGED_I64, _TAGGED_F64 = (struct.Struct(f) for f in ("<cI", "<cq", "<cd"))
_TENSOR_HEAD = struct.Struct("<BBB")
_WRITTEN_HEADS = tuple(struct.Struct(f"<cBBB{dims}Q{dims}q") for dims in range(MAX_DIMS + 1))
_SHAPES = tuple(f"<{dims}Q" for dims in range(MAX_DIMS + 1))
_STRIDES = tuple(f"<{dims}q" for dims in range(MAX_DIMS + 1))


class ValueRefused(Exception):
    """A value that does not cross: too large, too deep, or not plain."""


class Malformed(Exception):
    """Bytes that are no value."""


# ---------------------------------------------------------------------------------------------- encoding


class Encoder:
    """Writes values. `describe` turns an object that is not plain into a Handle, or raises ValueRefused."""

    def __init__(
        self,
        describe: Callable[[object], Handle] | None = None,
        shares: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
        scratch: str = "",
    ) -> None:
        """shares: places that are told of each tensor whose storage is at that address. scratch: a folder whose
        paths are sent as relative ones, since its name is another in every process.
        """
        self.out = bytearray()
        self._describe = describe
        self._shares = shares
        self._scratch = scratch
        self._items = 0

    def write(self, value: object, depth: int = 0) -> None:
        self._items += 1
        if depth > MAX_DEPTH:
            raise ValueRefused(f"the value is nested more than {MAX_DEPTH} levels deep")
        if self._items > MAX_ITEMS:
            raise ValueRefused(f"the value has more than {MAX_ITEMS} items")
        # By exact type, which is nearly always enough; a subclass is written as what it is a kind of.
        writer = _WRITERS.get(type(value)) or _torch_writers().get(type(value))
        if writer is None:
            writer = next((_WRITERS[kind] for kind in KINDS if isinstance(value, kind)), Encoder._foreign)
        writer(self, value, depth)

    def _bool(self, value: Any, depth: int) -> None:
        self.out += b"T" if value else b"F"

    def _none(self, value: Any, depth: int) -> None:
        self.out += b"N"

    def _integer(self, value: Any, depth: int) -> None:
        number = int(value)
        if -(2**63) <= number < 2**63:
            self.out += _TAGGED_I64.pack(b"i", number)
            return
        size = number.bit_length() // 8 + 1
        if size > 512:
            raise ValueRefused("an integer has more than 4,000 bits")
        self.out += _TAGGED_U32.pack(b"I", size) + number.to_bytes(size, "little", signed=True)

    def _float(self, value: Any, depth: int) -> None:
        self.out += _TAGGED_F64.pack(b"f", float(value))

    def _complex(self, value: Any, depth: int) -> None:
        self.out += b"c" + _F64.pack(value.real) + _F64.pack(value.imag)

    def _str(self, value: Any, depth: int) -> None:
        scratch = self._scratch
        if scratch and str.startswith(value, scratch) and f"{value}/".startswith(f"{scratch}/"):
            self.out += b"p"
            self.text(value[len(scratch) :].lstrip("/"))
        else:
            self.out += b"s"
            self.text(value)

    def _bytes(self, value: Any, depth: int) -> None:
        data = bytes(value)
        self.out += b"b" + _U64.pack(len(data))
        self.out += data

    def _list(self, value: Any, depth: int) -> None:
        self._each(b"l", value, depth)

    def _tuple(self, value: Any, depth: int) -> None:
        self._each(b"t", value, depth)

    def _set(self, value: Any, depth: int) -> None:
        self._each(b"e", value, depth)

    def _each(self, tag: bytes, value: Any, depth: int) -> None:
        self.out += _TAGGED_U32.pack(tag, len(value))
        write, depth = self.write, depth + 1
        for item in value:
            write(item, depth)

    def _dict(self, value: Any, depth: int) -> None:
        items = list(value.items())
        self.out += _TAGGED_U32.pack(b"d", len(items))
        write, depth = self.write, depth + 1
        for key, item in items:
            write(key, depth)
            write(item, depth)

    def _handle(self, value: Any, depth: int) -> None:
        self.out += _TAGGED_U32.pack(b"h", value.id)
        self.text(value.kind)
        self.text(value.text)

    def _device(self, value: Any, depth: int) -> None:
        self.out += b"v"
        self.text(value.name)

    def _dtype(self, value: Any, depth: int) -> None:
        self.out += b"y"
        self.text(value.name)

    def text(self, text: str) -> None:
        data = str.encode(text, "utf-8", "surrogatepass")
        if len(data) > MAX_TEXT:
            raise ValueRefused(f"a text of {len(data)} bytes is larger than {MAX_TEXT}")
        self.out += _U32.pack(len(data))
        self.out += data

    def _foreign(self, value: Any, depth: int) -> None:
        import numpy as np
        import torch

        if isinstance(value, torch.Tensor):
            # A subclass may override every method through __torch_function__; here it has no say.
            with torch._C.DisableTorchFunctionSubclass():
                self._plain_tensor(value, depth)
        elif isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.name in ARRAY_DTYPES:
            self._array(np.asarray(value))
        elif isinstance(value, torch.dtype):
            self.write(DType(str(value).removeprefix("torch.")), depth)
        elif isinstance(value, torch.device):
            self.write(Device(str(value)), depth)
        else:
            self._opaque(value)

    def _opaque(self, value: object) -> None:
        if self._describe is None:
            raise ValueRefused(f"a {type(value).__name__} is not plain")
        self.write(self._describe(value))

    def _plain_tensor(self, value: Any, depth: int) -> None:
        if not self._tensor(value):
            self._opaque(value)

    def _tensor(self, tensor: Any, *, grad_too: bool = True) -> bool:
        """Write one tensor; False where it is of a kind that has no plain bytes."""
        import torch

        code = _codes().get(tensor.dtype)
        if code is None or tensor.layout is not torch.strided or tensor.is_meta:
            return False
        shape, elements = tensor.shape, tensor.numel()
        dims = len(shape)
        if dims > MAX_DIMS:
            raise ValueRefused(f"a tensor has {dims} dims, more than {MAX_DIMS}")
        if elements > MAX_ELEMENTS:
            raise ValueRefused(f"a tensor has {elements} elements, more than {MAX_ELEMENTS}")
        leaf = tensor.is_leaf
        grad = tensor.grad if grad_too and (leaf or tensor.retains_grad) else None
        flags = _REQUIRES_GRAD * tensor.requires_grad | _LEAF * leaf | _HAS_GRAD * (grad is not None)
        out = self.out
        out += _WRITTEN_HEADS[dims].pack(b"X", code, flags, dims, *shape, *tensor.stride())
        # Device, class, grad_fn and shared places as one text.
        node = tensor.grad_fn
        grad_fn = "" if node is None else type(node).__name__
        shares = self._shares.get(tensor.untyped_storage().data_ptr(), ()) if self._shares else ()
        self.text("\0".join((str(tensor.device), type(tensor).__name__, grad_fn, *shares)))
        raw = raw_values(tensor)
        out += _U64.pack(len(raw))
        out += raw
        if grad is not None and not self._tensor(grad, grad_too=False):
            raise ValueRefused("a gradient is not a plain tensor")
        return True

    def _array(self, array: Any) -> None:
        if array.ndim > MAX_DIMS or array.size > MAX_ELEMENTS:
            raise ValueRefused(f"an array of shape {array.shape} is too large")
        self.out += b"A"
        self.text(array.dtype.name)
        self.out += bytes((array.ndim,)) + struct.pack(f"<{array.ndim}Q", *array.shape)
        data = array.tobytes()
        self.out += _U64.pack(len(data))
        self.out += data


_WRITERS: dict[type, Callable[[Encoder, Any, int], None]] = {
    type(None): Encoder._none,
    bool: Encoder._bool,
    int: Encoder._integer,
    float: Encoder._float,
    complex: Encoder._complex,
    str: Encoder._str,
    bytes: Encoder._bytes,
    bytearray: Encoder._bytes,
    memoryview: Encoder._bytes,
    list: Encoder._list,
    tuple: Encoder._tuple,
    dict: Encoder._dict,
    set: Encoder._set,
    frozenset: Encoder._set,
    Handle: Encoder._handle,
    Device: Encoder._device,
    DType: Encoder._dtype,
}


@cache
def _torch_writers() -> dict[type, Callable[[Encoder, Any, int], None]]:
    """By exact type, for the most frequent of the values that are not Python's own."""
    import torch

    return {torch.Tensor: Encoder._plain_tensor, torch.nn.Parameter: Encoder._foreign}


KINDS = (int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)


# ---------------------------------------------------------------------------------------------- decoding


class Observed:
    """Reads a value as the judge sees it: tensors become observations, and nothing becomes a live object."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = len(data)
        self._at = 0
        self._items = 0
        self._bare_keys = 0

    def whole(self) -> Any:
        """The one value that the bytes hold."""
        try:
            value = self.read()
        except (struct.error, UnicodeError, IndexError, OverflowError) as fault:
            raise Malformed(str(fault)) from fault
        if self._at != self._size:
            raise Malformed(f"{self._size - self._at} bytes after the value")
        return value

    def read(self, depth: int = 0) -> Any:
        self._items += 1
        if depth > MAX_DEPTH or self._items > MAX_ITEMS:
            raise Malformed("nested too deeply, or too many items")
        at = self._at
        if at >= self._size:
            raise Malformed("cut short")
        reader = _READERS.get(self._data[at])
        if reader is None:
            raise Malformed(f"unknown tag {self._data[at]}")
        self._at = at + 1
        return reader(self, depth)

    # -- the parts of the format

    def _take(self, count: int) -> memoryview:
        start, end = self._at, self._at + count
        if count < 0 or end > self._size:
            raise Malformed("cut short")
        self._at = end
        return memoryview(self._data)[start:end]

    def _number(self, form: struct.Struct) -> Any:
        # unpack_from raises struct.error where too few bytes are left; `whole` makes it Malformed.
        (number,) = form.unpack_from(self._data, self._at)
        self._at += form.size
        return number

    def text(self) -> str:
        size = self._number(_U32)
        start, end = self._at, self._at + size
        if size > MAX_TEXT or end > self._size:
            raise Malformed("a text is too large")
        self._at = end
        return self._data[start:end].decode("utf-8", "surrogatepass")

    def _count(self) -> int:
        count: int = self._number(_U32)
        # Each item takes at least a byte: a count that cannot be true is refused before the list is built.
        if count > self._size - self._at:
            raise Malformed("more items than bytes")
        return count

    def _shape(self, dims: int) -> tuple[int, ...]:
        if dims > MAX_DIMS:
            raise Malformed(f"{dims} dims")
        shape = struct.unpack_from(_SHAPES[dims], self._data, self._at)
        self._at += 8 * dims
        elements = 1
        for size in shape:
            elements *= max(size, 1)
            if elements > MAX_ELEMENTS:
                raise Malformed("too many elements")
        return shape

    def _read_integer(self, depth: int) -> int:
        size = self._number(_U32)
        if size > 513:
            raise Malformed("an integer is too large")
        return int.from_bytes(self._take(size), "little", signed=True)

    def _read_bytes(self, depth: int) -> bytes:
        return bytes(self._take(self._number(_U64)))

    def _read_list(self, depth: int) -> list[Any]:
        read, depth = self.read, depth + 1
        return [read(depth) for _ in range(self._count())]

    def _read_dict(self, depth: int) -> dict[Any, Any]:
        result = {}
        for _ in range(self._count()):
            key = self.read(depth + 1)
            self._check_key(key)
            result[key] = self.read(depth + 1)
        return result

    def _read_set(self, depth: int) -> Any:
        items = self._read_list(depth)
        for item in items:
            self._check_key(item)
        return frozenset(items)

    def _check_key(self, key: object) -> None:
        if not _is_plain_key(key):
            raise Malformed("a key of a dict or an item of a set is not plain")
        if not isinstance(key, str | bytes):
            self._bare_keys += 1
            if self._bare_keys > MAX_BARE_KEYS:
                raise Malformed(f"more than {MAX_BARE_KEYS} keys that are numbers or tuples")

    def _read_handle(self, depth: int) -> Handle:
        return Handle(self._number(_U32), self.text(), self.text())

    def _read_array(self, depth: int) -> ArraySeen:
        import numpy as np

        name = self.text()
        if name not in ARRAY_DTYPES:
            raise Malformed("a dtype that does not cross")
        shape = self._shape(self._number(_U8))
        raw = self._take(self._number(_U64))
        dtype = np.dtype(name)
        count = 1
        for size in shape:
            count *= size
        if len(raw) != count * dtype.itemsize:
            raise Malformed("an array whose bytes do not fit its shape")
        if name == "bool":
            # Any byte but 0 and 1 in a bool array is undefined behaviour in C.
            flat = np.frombuffer(bytes(raw), dtype=np.uint8) != 0
        else:
            flat = np.frombuffer(bytes(raw), dtype=dtype).copy()
        return ArraySeen(flat.reshape(shape), name, shape)

    def _read_tensor(self, depth: int, *, grad_too: bool = True) -> TensorSeen:
        code, flags, dims = _TENSOR_HEAD.unpack_from(self._data, self._at)
        self._at += _TENSOR_HEAD.size
        if code >= len(DTYPES) or flags > _REQUIRES_GRAD | _LEAF | _HAS_GRAD:
            raise Malformed("a dtype that does not cross, or a flag that there is not")
        shape = self._shape(dims)
        strides = struct.unpack_from(_STRIDES[dims], self._data, self._at)
        self._at += 8 * dims
        told = self.text().split("\0")
        if len(told) < 3:
            raise Malformed("a tensor without its description")
        device, kind, grad_fn, *shares = told
        raw = self._take(self._number(_U64))
        count = 1
        for size in shape:
            count *= size
        if len(raw) != count * _ITEM_SIZE[code]:
            raise Malformed("a tensor whose bytes do not fit its shape")
        grad = None
        if flags & _HAS_GRAD:
            if not grad_too or bytes(self._take(1)) != b"X":
                raise Malformed("a gradient that is no tensor")
            grad = self._read_tensor(depth + 1, grad_too=False)
        return TensorSeen(
            flat_tensor(bytearray(raw), DTYPES[code]).reshape(shape), DTYPES[code], shape, strides, device,
            bool(flags & _REQUIRES_GRAD), bool(flags & _LEAF), grad_fn or None, grad, tuple(shares), kind,
        )  # fmt: skip


_READERS: dict[int, Callable[[Observed, int], Any]] = {
    ord("N"): lambda d, _: None,
    ord("T"): lambda d, _: True,
    ord("F"): lambda d, _: False,
    ord("i"): lambda d, _: d._number(_I64),
    ord("I"): Observed._read_integer,
    ord("f"): lambda d, _: d._number(_F64),
    ord("c"): lambda d, _: complex(d._number(_F64), d._number(_F64)),
    ord("s"): lambda d, _: d.text(),
    ord("b"): Observed._read_bytes,
    ord("l"): Observed._read_list,
    ord("t"): lambda d, depth: tuple(d._read_list(depth)),
    ord("d"): Observed._read_dict,
    ord("e"): Observed._read_set,
    ord("h"): Observed._read_handle,
    ord("p"): lambda d, _: ScratchPath(d.text()),
    ord("v"): lambda d, _: Device(d.text()),
    ord("y"): lambda d, _: DType(d.text()),
    ord("X"): Observed._read_tensor,
    ord("A"): Observed._read_array,
}


def _is_plain_key(key: object) -> bool:
    if isinstance(key, tuple):
        return all(_is_plain_key(part) for part in key)
    return key is None or isinstance(key, bool | int | float | str | bytes)


@cache
def _codes() -> dict[Any, int]:
    """The code of each torch dtype that crosses."""
    import torch

    return {getattr(torch, name): code for name, code in _CODE.items()}


def raw_values(tensor: Any) -> bytes:
    """The values of a plain tensor in reading order, wherever it lies and whatever of it is still pending."""
    import torch

    if tensor.dtype is torch.bfloat16:
        tensor = tensor.detach().contiguous().view(torch.int16)  # NumPy lacks it; the bytes are the same
    raw: bytes = tensor.numpy(force=True).tobytes()
    return raw


def flat_tensor(raw: bytearray, name: str) -> Any:
    """The bytes as a one-dimensional CPU tensor in their memory, which is to be nobody else's. name: of the dtype."""
    import torch

    dtype = getattr(torch, name)
    if not raw:
        return torch.empty(0, dtype=dtype)
    if name == "bool":
        # As in an array: a byte may be neither 0 nor 1.
        return torch.frombuffer(raw, dtype=torch.uint8) != 0
    return torch.frombuffer(raw, dtype=dtype)
