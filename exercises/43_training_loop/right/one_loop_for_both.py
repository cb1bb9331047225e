"""One loop serves training and evaluation; the batches are listed first, and gradients set to None by hand."""

import numpy as np
import torch


def train_step(model, x, y, loss_fn, optimizer):
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None
    loss = loss_fn(model.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach().cpu().numpy().item()


def run(model, loader, loss_fn, optimizer=None):
    training = optimizer is not None
    model.train(training)
    losses, sizes = [], []
    with torch.set_grad_enabled(training):
        for x, y in list(loader):
            losses.append(train_step(model, x, y, loss_fn, optimizer) if training else loss_fn(model(x), y).item())
            sizes.append(len(x))
    return float(np.average(losses, weights=sizes))


def train_one_epoch(model, loader, loss_fn, optimizer):
    return run(model, loader, loss_fn, optimizer)


def evaluate(model, loader, loss_fn):
    was_training = model.training
    loss = run(model, loader, loss_fn)
    model.train(was_training)
    return loss


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {}
    for name in ("train_loss", "val_loss"):
        history[name] = []
    for _ in range(epochs):
        history["train_loss"] += [run(model, train_loader, loss_fn, optimizer)]
        history["val_loss"] += [run(model, val_loader, loss_fn)]
    return history
