"""What crosses between the rooms: every plain value comes back as it was, and no bytes can do harm."""

import contextlib
import math
import pickle
import pickletools

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.core.exchange import ArraySeen, Device, DType, Handle, Outcome, Request, ScratchPath, TensorSeen, Word
from grader.sandbox import protocol, values
from grader.sandbox.inward import Unpacker, pack
from grader.sandbox.protocol import FrameReader, Kind, ProtocolError, frame
from grader.sandbox.session import Session, compile_scenes, decode_reply, encode_request
from grader.sandbox.values import Encoder, Malformed, Observed, ValueRefused

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


def encoded(value):
    encoder = Encoder()
    encoder.write(value)
    return bytes(encoder.out)


def observed(value):
    return Observed(encoded(value)).whole()


def live(value):
    return Unpacker(pack(value), "cpu", lambda handle: handle, lambda path: f"/scratch/{path}").whole()


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@given(PLAIN)
@settings(max_examples=200, deadline=None)
def test_plain_values_come_back_as_they_were(value):
    assert same(observed(value), value)
    assert same(live(value), value)


@pytest.mark.parametrize("name", values.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (1, 2, 3, 4)])
def test_tensors_come_back_as_they_were(name, shape):
    tensor = (torch.randn(shape) * 5).abs().to(getattr(torch, name))
    seen = observed(tensor)
    assert (seen.dtype, seen.shape, seen.strides) == (name, tuple(shape), tensor.stride())
    assert torch.equal(seen.value, tensor)
    assert seen.value.dtype is tensor.dtype
    arrived = live(tensor)
    assert torch.equal(arrived, tensor)
    assert arrived.stride() == tensor.stride()


def test_a_tensor_is_observed_with_all_that_can_be_seen():
    x = torch.randn(3, 2).t().requires_grad_()
    y = x * 2
    y.retain_grad()
    y.sum().backward()
    seen_x, seen_y = observed([x, y])
    assert (seen_x.requires_grad, seen_x.is_leaf, seen_x.grad_fn, seen_x.strides) == (True, True, None, (1, 2))
    assert not seen_x.is_contiguous
    assert (seen_y.requires_grad, seen_y.is_leaf, seen_y.grad_fn) == (True, False, "MulBackward0")
    assert torch.equal(seen_x.grad.value, torch.full((2, 3), 2.0))
    assert torch.equal(seen_y.grad.value, torch.ones(2, 3))
    assert observed(torch.nn.Parameter(torch.ones(1))).kind == "Parameter"


def test_a_transpose_arrives_as_one_and_a_leaf_as_one():
    x = torch.randn(3, 4).t().requires_grad_()
    arrived = live(x)
    assert arrived.stride() == (1, 4)
    assert arrived.is_leaf
    assert arrived.requires_grad
    expanded = live(torch.arange(3.0)[:, None].expand(3, 4))
    assert expanded.stride() == (1, 0)
    assert torch.equal(expanded, torch.arange(3.0)[:, None].expand(3, 4))


def test_arrays_handles_paths_devices_and_dtypes():
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    seen = observed(array)
    assert isinstance(seen, ArraySeen)
    assert seen.dtype == "int16"
    assert np.array_equal(seen.value, array)
    assert np.array_equal(live(array), array)
    assert observed(Handle(3, "Net", "Net()")) == Handle(3, "Net", "Net()")
    assert live(ScratchPath("a/b.png")) == "/scratch/a/b.png"
    assert live(Device()) == torch.device("cpu")
    assert live(DType("int64")) is torch.int64
    assert observed(torch.float16) == DType("float16")
    assert live(Handle(3)) == 3


def test_what_is_too_large_or_too_deep_is_refused():
    nested = []
    for _ in range(100):
        nested = [nested]
    cyclic = []
    cyclic.append(cyclic)
    for value in (nested, cyclic, [0] * (values.MAX_ITEMS + 1), "x" * (values.MAX_TEXT + 1), 1 << 5000):
        with pytest.raises(ValueRefused):
            encoded(value)
    with pytest.raises(ValueRefused):
        encoded(torch.zeros(1).expand(values.MAX_ELEMENTS + 1))
    with pytest.raises(ValueRefused):
        encoded(object())


def test_what_the_judge_cannot_send_is_refused():
    cyclic = []
    cyclic.append(cyclic)
    meta, sparse = torch.empty(2, device="meta"), torch.eye(2).to_sparse()
    large = torch.zeros(1).expand(values.MAX_ELEMENTS + 1)
    for value in (object(), len, Handle, torch.nn.Linear(1, 1), cyclic, meta, sparse, large):
        with pytest.raises(ValueRefused):
            pack([value])


def test_what_is_sent_names_no_class_and_none_is_looked_up():
    everything = [1, 2**70, 1.5, 2j, "text", b"bytes", bytearray(b"ab"), (1,), {2}, frozenset((3,)), {"a": None}, True]
    everything += [
        torch.ones(2, requires_grad=True),
        np.ones(2),
        np.float32(1),
        torch.Size((2, 3)),
        Handle(1),
        Device(),
    ]
    named = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4"}
    assert named.isdisjoint(code.name for code, _, _ in pickletools.genops(pack(everything)))
    for harmful in (pickle.dumps(print), b"cos\nsystem\n(S'true'\ntR.", pickle.dumps(np.ones(1)), b"", b"junk"):
        with pytest.raises(Malformed):
            Unpacker(harmful, "cpu", str, str).whole()


def test_equal_requests_have_equal_bytes_and_what_is_in_two_places_arrives_twice():
    text, row, tensor = "".join(("a", "b")), [1, 2], torch.arange(3.0)
    asked = [Request(Word.CALL, "f", args=args) for args in (([text, text], row, row), (["ab", "ab"], [1, 2], [1, 2]))]
    assert encode_request(asked[0]) == encode_request(asked[1])
    rows = live((row, row, tensor, tensor))
    assert rows[0] is not rows[1]
    assert rows[2].data_ptr() != rows[3].data_ptr()


def test_the_gradient_and_the_memory_of_what_arrives_are_its_own():
    leaf = torch.arange(3.0).requires_grad_()
    (leaf * 2).sum().backward()
    arrived, array = live((leaf, np.arange(3)))
    assert torch.equal(arrived.grad, leaf.grad)
    assert arrived._base is None
    assert live(torch.ones(2)).resize_(5).shape == (5,)
    assert array.flags.owndata
    assert array.flags.writeable


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_no_bytes_do_more_than_be_refused(data):
    with contextlib.suppress(Malformed):
        Observed(data).whole()
    with contextlib.suppress(Malformed):
        decode_reply(data)


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_byte_does_no_more_than_be_refused(data):
    value = {"a": [torch.arange(6.0).reshape(2, 3), np.ones(2), 1.5], "b": (None, "text", Handle(1))}
    whole = bytearray(encoded(value))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        Observed(bytes(whole)).whole()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"l\xff\xff\xff\xff",
        b"NN",
        b"X" + bytes((8, 0, 8)) + b"\xff" * 200,
        b"X" + bytes((200, 0, 0)),
        b"A\x06\x00\x00\x00object\x01" + b"\0" * 16,
        b"I\xff\xff\xff\x7f",
        b"d\x01\x00\x00\x00l\x00\x00\x00\x00N",
        b"Z",
    ],
)
def test_lies_about_sizes_are_refused_before_anything_is_allocated(data):
    with pytest.raises(Malformed):
        Observed(data).whole()


def test_a_bool_tensor_of_other_bytes_becomes_true_and_false():
    data = bytearray(encoded(torch.tensor([True, False])))
    data[-2:] = b"\x07\xff"
    assert Observed(bytes(data)).whole().value.tolist() == [True, True]


def test_frames_are_told_apart_however_they_arrive():
    stream = frame(Kind.REQUEST, 7, b"first") + frame(Kind.REPLY, 2**64 - 1, b"") + frame(Kind.HELLO, 0, b"x" * 999)
    for step in (1, 3, 20, len(stream)):
        reader, found = FrameReader(), []
        for at in range(0, len(stream), step):
            reader.feed(stream[at : at + step])
            while (whole := reader.take()) is not None:
                found.append(whole)
        assert found == [
            (Kind.REQUEST, 7, b"first"),
            (Kind.REPLY, 2**64 - 1, b""),
            (Kind.HELLO, 0, b"x" * 999),
        ]


@pytest.mark.parametrize(
    "header",
    [
        b"HTTP/1.1 200 OK\r\n\r\n   ",
        protocol.HEADER.pack(protocol.MAGIC, 9, protocol.ZEROS, 0, 0),
        protocol.HEADER.pack(protocol.MAGIC, 3, b"abc", 0, 0),
        protocol.HEADER.pack(protocol.MAGIC, 3, protocol.ZEROS, 0, protocol.MAX_PAYLOAD + 1),
    ],
)
def test_a_broken_header_ends_the_conversation(header):
    with pytest.raises(ProtocolError):
        FrameReader().feed(header)


def test_a_session_answers_every_word(tmp_path):
    session = Session(str(tmp_path))

    def ask(word, name="", handle=None, *args, seed=0, **kwargs):
        return decode_reply(session.answer(encode_request(Request(word, name, handle, args, kwargs, seed))))

    source = (
        "import torch\n"
        "class Box:\n"
        "    def __init__(self, x): self.x = x\n"
        "    def __len__(self): return 3\n"
        "    def get(self): return self.x\n"
        "def change(x): x += 1; return x\n"
        "def flat(x): return x.view(-1)\n"
        "def noise(): return torch.rand(2)\n"
        "def bad(): raise ValueError('no')\n"
    )
    scenes = "def both(answer, x): return [answer.flat(x), answer.Box(2)]\n"
    assert ask(Word.LOAD, "", None, "a.py", source, compile_scenes(scenes)).outcome is Outcome.RETURNED
    reply = ask(Word.CALL, "change", None, torch.zeros(2))
    assert torch.equal(reply.args[0].value, torch.ones(2))
    assert reply.value.shares == ("0",)
    assert ask(Word.CALL, "flat", None, torch.zeros(2, 2)).value.shares == ("0",)
    box = ask(Word.NEW, "Box", None, 5).value
    assert isinstance(box, Handle)
    assert ask(Word.METHOD, "get", box.id).value == 5
    assert ask(Word.METHOD, "__len__", box.id).value == 3
    assert ask(Word.GET, "x", box.id).value == 5
    assert ask(Word.METHOD, "nothing", box.id).outcome is Outcome.REFUSED
    assert "gone" in ask(Word.CALL, "change", None, Handle(99)).reason
    assert ask(Word.CALL, "nothing").outcome is Outcome.REFUSED
    first, second = ask(Word.SCENE, "both", None, torch.zeros(2, 3)).value
    assert isinstance(first, TensorSeen)
    assert second.kind == "Box"
    assert torch.equal(ask(Word.CALL, "noise", seed=3).value.value, ask(Word.CALL, "noise", seed=3).value.value)
    assert not torch.equal(ask(Word.CALL, "noise", seed=3).value.value, ask(Word.CALL, "noise", seed=4).value.value)
    raised = ask(Word.CALL, "bad").raised
    assert (raised.kind, raised.message, raised.lines, raised.own) == ("ValueError", "no", ((9, "bad"),), True)
    ask(Word.FILES, "", None, {"d/a.txt": b"hello"})
    assert ask(Word.READ, "d/a.txt").value == b"hello"
    assert ask(Word.READ, "d/b.txt").outcome is Outcome.REFUSED


def test_the_scratch_folder_has_no_name_of_its_own(tmp_path):
    """Two sessions in two folders reply the same, or no known answer could ever be recognised."""
    replies = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        session = Session(str(folder))
        source = "import os\ndef f(p): return [p, os.path.dirname(p), 'x']\ndef g(p): open(p)\n"
        for word, called, args in (
            (Word.LOAD, "", ("a.py", source, None)),
            (Word.CALL, "f", (ScratchPath("d/e.txt"),)),
            (Word.CALL, "g", (ScratchPath("d/e.txt"),)),
        ):
            replies.append(decode_reply(session.answer(encode_request(Request(word, called, args=args)))))
    f, g = replies[1], replies[2]
    assert f.value == [ScratchPath("d/e.txt"), ScratchPath("d"), "x"]
    assert f.args == (ScratchPath("d/e.txt"),)
    assert str(tmp_path) not in g.raised.message
    assert (f.value, g.raised) == (replies[4].value, replies[5].raised)
