"""misconception: train-mode-once
fails: test_fit_epochs, test_fit_history

fit was written out with one model.train() above the epochs: after the first evaluation nobody turns it on again.
"""

import torch


def train_step(model, x, y, loss_fn, optimizer):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    seen = 0
    for x, y in loader:
        loss = train_step(model, x, y, loss_fn, optimizer)
        total += loss * len(x)
        seen += len(x)
    return total / seen


def evaluate(model, loader, loss_fn):
    was_training = model.training
    model.eval()
    total = 0.0
    seen = 0
    with torch.no_grad():
        for x, y in loader:
            loss = loss_fn(model(x), y)
            total += loss.item() * len(x)
            seen += len(x)
    model.train(was_training)
    return total / seen


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_loss": []}
    model.train()
    for epoch in range(epochs):
        total, seen = 0.0, 0
        for x, y in train_loader:
            total += train_step(model, x, y, loss_fn, optimizer) * len(x)
            seen += len(x)
        history["train_loss"].append(total / seen)

        model.eval()
        total, seen = 0.0, 0
        with torch.no_grad():
            for x, y in val_loader:
                total += loss_fn(model(x), y).item() * len(x)
                seen += len(x)
        history["val_loss"].append(total / seen)
    return history
