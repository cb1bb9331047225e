"""misconception: trains-on-validation
fails: test_fit_epochs, test_fit_history

The same function is called on both loaders.
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
    for epoch in range(epochs):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        val_loss = train_one_epoch(model, val_loader, loss_fn, optimizer)
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
    return history
