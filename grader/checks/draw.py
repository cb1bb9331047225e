"""`Draw`: fresh inputs, the same for the same seed.

Every run has its own seed, so that an answer that is right was computed. Values are drawn on the CPU by a
private generator (the same numbers on every device) and made on the run's device by the sandbox.
"""

import random
from collections.abc import Sequence
from typing import Any, TypeVar

import torch

_T = TypeVar("_T")


class Draw:
    """The source of inputs of one check.

    `python` is a `random.Random` and `generator` a `torch.Generator` for whatever the methods do not offer.
    """

    def __init__(self, seed: int) -> None:
        self.python = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32, requires_grad: bool = False) -> torch.Tensor:
        """Standard normal values, all different in practice; floating dtype."""
        values = torch.randn(shape, generator=self.generator).to(dtype)
        return values.requires_grad_(requires_grad)

    def uniform(
        self,
        *shape: int,
        low: float = 0.0,
        high: float = 1.0,
        dtype: torch.dtype = torch.float32,
        requires_grad: bool = False,
    ) -> torch.Tensor:
        """Values in [low, high); floating dtype."""
        values = (torch.rand(shape, generator=self.generator) * (high - low) + low).to(dtype)
        return values.requires_grad_(requires_grad)

    def integers(self, low: int, high: int, *shape: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
        """Whole numbers from low to high - 1."""
        return torch.randint(low, high, shape, generator=self.generator).to(dtype)

    def distinct(self, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Whole numbers from 1 on, no two alike, in random order: what is moved wrongly shows."""
        count = 1
        for size in shape:
            count *= size
        return (torch.randperm(count, generator=self.generator) + 1).reshape(shape).to(dtype)

    def permutation(self, count: int) -> list[int]:
        """0 to count - 1 in random order."""
        order = list(range(count))
        self.python.shuffle(order)
        return order

    def whole(self, low: int, high: int) -> int:
        """A Python int from low to high, both included."""
        return self.python.randint(low, high)

    def real(self, low: float = 0.0, high: float = 1.0) -> float:
        """A Python float between low and high."""
        return self.python.uniform(low, high)

    def choice(self, options: Sequence[_T]) -> _T:
        return self.python.choice(options)

    def word(self, length: int = 6) -> str:
        """Lower-case letters."""
        return "".join(self.python.choices("abcdefghijklmnopqrstuvwxyz", k=length))

    def seed(self) -> int:
        """A seed to hand to the learner's code."""
        return self.python.randrange(2**31)

    def png(self, height: int, width: int, mode: str = "RGB") -> bytes:
        """A PNG file of noise, `mode` "RGB", "RGBA" or "L"."""
        import io

        from PIL import Image

        channels = {"RGB": 3, "RGBA": 4, "L": 1}[mode]
        data: Any = self.integers(0, 256, height, width, channels, dtype=torch.uint8).numpy()
        buffer = io.BytesIO()
        Image.fromarray(data[:, :, 0] if channels == 1 else data).save(buffer, "PNG")
        return buffer.getvalue()
