"""misconception: fixed-batch-size
fails: test_epoch_loss, test_evaluate_loss, test_fit_history

The size of the first batch is taken for all of them.
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
    batch_size = None
    for i, (x, y) in enumerate(loader):
        if batch_size is None:
            batch_size = x.shape[0]
        total += train_step(model, x, y, loss_fn, optimizer) * x.shape[0]
    return total / ((i + 1) * batch_size)


def evaluate(model, loader, loss_fn):
    was_training = model.training
    model.eval()
    total = 0.0
    batch_size = None
    with torch.no_grad():
        for i, (x, y) in enumerate(loader):
            if batch_size is None:
                batch_size = x.shape[0]
            total += loss_fn(model(x), y).item() * x.shape[0]
    model.train(was_training)
    return total / ((i + 1) * batch_size)


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_loss": []}
    for epoch in range(epochs):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        val_loss = evaluate(model, val_loader, loss_fn)
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
    return history
