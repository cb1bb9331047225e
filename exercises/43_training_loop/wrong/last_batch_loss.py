"""misconception: last-batch-loss
fails: test_epoch_loss, test_evaluate_loss, test_fit_history, test_any_model_and_loss

What is left in the variable after the loop is reported as the loss of the epoch.
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
    for x, y in loader:
        loss = train_step(model, x, y, loss_fn, optimizer)
    return loss


def evaluate(model, loader, loss_fn):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            loss = loss_fn(model(x), y)
    model.train(was_training)
    return loss.item()


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_loss": []}
    for epoch in range(epochs):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        val_loss = evaluate(model, val_loader, loss_fn)
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
    return history
