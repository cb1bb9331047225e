"""What is imported and run once, before the fork, so that no child pays for it.

Everything here must leave exactly one thread: `torch.set_num_threads(1)` comes before any operation, and
nothing may touch CUDA. One step of each kind makes torch import what it imports lazily (the first optimizer
alone brings in `torch._dynamo`, more than a second).
"""

import contextlib
import gc
import importlib
import io
import os
import random
import tempfile
import threading
from collections.abc import Callable
from typing import Any


def up(needs: tuple[str, ...] = ()) -> dict[str, str]:
    """Import and run; answers with the modules of `needs` that cannot be imported, and why."""
    # Modules that learners use and that are slow or impossible to import once confined.
    for name in (
        "collections", "copy", "csv", "dataclasses", "functools", "itertools", "json", "math", "os", "pathlib",
        "re", "shutil", "statistics", "string", "tempfile", "time", "typing", "zipfile", "linecache",
        "encodings.idna", "glob", "pickle", "numbers", "warnings", "inspect", "contextlib", "operator",
    ):  # fmt: skip
        importlib.import_module(name)
    import numpy as np
    import torch

    torch.set_num_threads(1)
    missing = {}
    for name in needs:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a broken install raises whatever it likes
            missing[name] = f"{type(error).__name__}: {error}"
    random.seed(0)
    np.random.seed(0)
    steps("cpu")
    gc.collect()
    # Frozen objects are left alone by later collections, so a child's gc does not copy their pages.
    gc.freeze()
    return missing


def steps(device: str) -> None:
    """One step of each kind on the device. On CUDA only in a process that will never fork."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split  # noqa: F401

    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(2 * 9, 3),
    ).to(device)  # fmt: skip
    data = TensorDataset(torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 1]))
    makers: tuple[Callable[[Any], torch.optim.Optimizer], ...] = (
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        torch.optim.Adam,
        torch.optim.AdamW,
    )
    for make in makers:
        optimizer = make(model.parameters())
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        for inputs, labels in DataLoader(data, batch_size=2, shuffle=True, num_workers=0):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
        scheduler.step()
        buffer = io.BytesIO()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, buffer)
        buffer.seek(0)
        torch.load(buffer, weights_only=True)
    weight = torch.randn(3, 3, device=device, requires_grad=True)
    handle = weight.register_hook(lambda grad: grad * 1)
    ((weight @ weight).sum() + F.mse_loss(weight, weight * 2)).backward()
    handle.remove()
    torch.autograd.grad((weight**2).sum(), weight, create_graph=True)
    with contextlib.suppress(RuntimeError):
        weight.view(9, 2)
    torch.random.get_rng_state()
    _image()


def _image() -> None:
    """Pillow loads its format plugins when the first file is opened."""
    from PIL import Image

    folder = tempfile.gettempdir()
    if os.access(folder, os.W_OK):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, "PNG")
        buffer.seek(0)
        Image.open(buffer).convert("L").load()


def threads() -> int:
    """Threads of this process, those of C libraries too where the system tells."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()
