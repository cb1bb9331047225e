import torch


def train_step(model, x, y, loss_fn, optimizer):
    """Update the model once, by the gradient of one batch. Returns the batch's loss, a Python float."""
    optimizer.zero_grad()  # backward adds to .grad: forget the batch before
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()  # a number has no graph behind it


def train_one_epoch(model, loader, loss_fn, optimizer):
    """Update the model by each batch of the loader. Returns the mean loss over all samples."""
    model.train()  # at the start of every epoch: whoever evaluated last may have left eval mode on
    total, seen = 0.0, 0
    for x, y in loader:
        loss = train_step(model, x, y, loss_fn, optimizer)
        # loss is a mean over len(x) samples. Times len(x) it is their sum, and sums add up whatever their sizes.
        total += loss * len(x)
        seen += len(x)
    return total / seen


@torch.no_grad()  # records no graph; eval() below is another switch, for dropout and BatchNorm
def evaluate(model, loader, loss_fn):
    """The mean loss over all samples of the loader, and the model as it was before."""
    was_training = model.training
    model.eval()
    total, seen = 0.0, 0
    for x, y in loader:
        total += loss_fn(model(x), y).item() * len(x)
        seen += len(x)
    model.train(was_training)
    return total / seen


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    """Train for some epochs and evaluate after each. Returns {"train_loss": [...], "val_loss": [...]}."""
    history = {"train_loss": [], "val_loss": []}
    for _ in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
        history["val_loss"].append(evaluate(model, val_loader, loss_fn))
    return history
