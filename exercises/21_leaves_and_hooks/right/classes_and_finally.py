"""nn.Parameter, hooks as objects with state, a hook in place of retain_grad, try/finally; with type hints."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Recorder:
    """A hook that keeps what it sees."""

    def __init__(self, log: list[Tensor]) -> None:
        self.log = log

    def __call__(self, gradient: Tensor) -> None:
        self.log.append(gradient.clone())


def make_parameter(values: Tensor, scale: float) -> Tensor:
    start = values.to(torch.float32)
    return nn.Parameter(start * scale)


def keeps_grad(tensors: list[Tensor]) -> list[bool]:
    result = []
    for t in tensors:
        if not t.requires_grad:
            result.append(False)
        elif t.grad_fn is None:
            result.append(True)
        else:
            result.append(t.retains_grad)
    return result


def hidden_gradients(inner: Callable[[Tensor], Tensor], outer: Callable[[Tensor], Tensor], x: Tensor):
    seen: list[Tensor] = []
    h = inner(x)
    handle = h.register_hook(Recorder(seen))
    outer(h).backward()
    handle.remove()
    return [seen[0], x.grad]


def watch(t: Tensor, log: list[Tensor]):
    return t.register_hook(Recorder(log))


def scaled_backward(loss_of: Callable[[Tensor], Tensor], w: Tensor, factor: float) -> None:
    def scale(gradient: Tensor) -> Tensor:
        return torch.mul(gradient, factor)

    handle = w.register_hook(scale)
    try:
        loss = loss_of(w)
        loss.backward()
    finally:
        handle.remove()
