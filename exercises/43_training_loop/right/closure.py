"""A closure for optimizer.step, inference_mode, weighted lists and comprehensions, with type hints."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Loss = Callable[[Tensor, Tensor], Tensor]
Batch = tuple[Tensor, Tensor]


def train_step(model: nn.Module, x: Tensor, y: Tensor, loss_fn: Loss, optimizer: Optimizer) -> float:
    def closure() -> Tensor:
        model.zero_grad()
        loss = loss_fn(model(x), y)
        torch.autograd.backward(loss)
        return loss

    return optimizer.step(closure).item()


def weighted_mean(parts: list[tuple[float, int]]) -> float:
    return sum(loss * size for loss, size in parts) / sum(size for _, size in parts)


def train_one_epoch(model: nn.Module, loader: Iterable[Batch], loss_fn: Loss, optimizer: Optimizer) -> float:
    model.train()
    return weighted_mean([(train_step(model, x, y, loss_fn, optimizer), len(y)) for x, y in loader])


@torch.inference_mode()
def evaluate(model: nn.Module, loader: Iterable[Batch], loss_fn: Loss) -> float:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    mean = weighted_mean([(loss_fn(model(x), y).item(), len(y)) for x, y in loader])
    for module, mode in modes.items():
        module.training = mode
    return mean


def fit(
    model: nn.Module,
    train_loader: Iterable[Batch],
    val_loader: Iterable[Batch],
    loss_fn: Loss,
    optimizer: Optimizer,
    epochs: int,
) -> dict[str, list[float]]:
    pairs = [
        (train_one_epoch(model, train_loader, loss_fn, optimizer), evaluate(model, val_loader, loss_fn))
        for _ in range(epochs)
    ]
    return {"train_loss": [train for train, _ in pairs], "val_loss": [val for _, val in pairs]}
