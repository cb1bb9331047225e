"""pathlib throughout; the draft comes from tempfile and is cleared away when writing fails; tensors are loaded
straight to the model's device, so the generator's state is brought back to the CPU; the file holds the next epoch.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


def save_checkpoint(path: str, model: nn.Module, optimizer: Optimizer, scheduler: Any, epoch: int) -> None:
    target = Path(path)
    state: dict[str, Any] = {
        "next_epoch": int(epoch) + 1,
        "net": {name: value.detach().cpu() for name, value in model.state_dict().items()},
        "optim": optimizer.state_dict(),
        "sched": scheduler.state_dict(),
        "generators": {"cpu": torch.random.get_rng_state()},
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["generators"]["cuda"] = torch.cuda.get_rng_state_all()
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".draft-", delete=False) as file:
        draft = Path(file.name)
        try:
            torch.save(state, file)
        except BaseException:
            draft.unlink()
            raise
    draft.replace(target)


def load_checkpoint(path: str, model: nn.Module, optimizer: Optimizer, scheduler: Any) -> int:
    device = next(model.parameters()).device
    state = torch.load(Path(path), map_location=device, weights_only=True)
    missing, unexpected = model.load_state_dict(state["net"], strict=False)
    if missing or unexpected:
        raise ValueError(f"the checkpoint does not fit: missing {missing}, unexpected {unexpected}")
    scheduler.load_state_dict(state["sched"])
    optimizer.load_state_dict(state["optim"])
    torch.random.set_rng_state(state["generators"]["cpu"].cpu())
    for index, generator in enumerate(state["generators"].get("cuda", [])):
        if index < torch.cuda.device_count():
            torch.cuda.set_rng_state(generator.cpu(), index)
    return state["next_epoch"]


def _checkpoints(folder: str) -> dict[int, Path]:
    found = {}
    for file in Path(folder).glob("epoch_*.pt"):
        with contextlib.suppress(ValueError):
            found[int(file.stem.removeprefix("epoch_"))] = file
    return dict(sorted(found.items()))


def saved_epochs(folder: str) -> list[int]:
    return list(_checkpoints(folder))


def keep_last(folder: str, k: int) -> None:
    newest_first = sorted(_checkpoints(folder).items(), reverse=True)
    for _, file in newest_first[k:]:
        file.unlink(missing_ok=True)


def train_with_checkpoints(folder, model, optimizer, scheduler, train_epoch, epochs, keep):
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    epoch = 0
    if saved := _checkpoints(folder):
        epoch = load_checkpoint(str(saved[max(saved)]), model, optimizer, scheduler)
    history = []
    while epoch < epochs:
        history.append(train_epoch(epoch))
        scheduler.step()
        save_checkpoint(str(home / f"epoch_{epoch}.pt"), model, optimizer, scheduler, epoch)
        keep_last(folder, keep)
        epoch += 1
    return history
