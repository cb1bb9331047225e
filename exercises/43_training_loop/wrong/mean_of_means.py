"""misconception: mean-of-means
fails: test_epoch_loss, test_evaluate_loss, test_fit_history

"The mean of the means is the mean." Only if all batches are equally large.
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
    batches = 0
    for x, y in loader:
        loss = train_step(model, x, y, loss_fn, optimizer)
        total += loss
        batches += 1
    return total / batches


def evaluate(model, loader, loss_fn):
    was_training = model.training
    model.eval()
    total = 0.0
    batches = 0
    with torch.no_grad():
        for x, y in loader:
            loss = loss_fn(model(x), y)
            total += loss.item()
            batches += 1
    model.train(was_training)
    return total / batches


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_loss": []}
    for epoch in range(epochs):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        val_loss = evaluate(model, val_loader, loss_fn)
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
    return history
