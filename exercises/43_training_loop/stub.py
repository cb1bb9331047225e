import torch

# In all four functions
#   model      any nn.Module: model(x) is its prediction for a batch x
#   loss_fn    any loss: loss_fn(prediction, y) is a 0-d tensor, the mean over the batch's samples
#   optimizer  any torch.optim optimizer, already made with the model's parameters
#   loader     any iterable of batches (x, y), perhaps without a len(); dim 0 of x and of y counts the samples.
#              Batches may differ in size, and one may hold a single sample.
# Model and batches are already on the same device.


def train_step(model, x, y, loss_fn, optimizer):
    """Update the model once, by the gradient of this batch alone.

    x: (N, ...), y: (N, ...). The model stays in the mode that it is in.
    Returns the batch's loss as it was before the update, a Python float (not a tensor).
    """
    raise NotImplementedError("TODO")


def train_one_epoch(model, loader, loss_fn, optimizer):
    """Go through the loader once, in training mode, and update the model after each batch.

    The model may arrive in evaluation mode.
    Returns the mean loss over all samples, a Python float. No batch's graph may be kept until the end.
    """
    raise NotImplementedError("TODO")


def evaluate(model, loader, loss_fn):
    """Go through the loader once, in evaluation mode and without recording a graph.

    Returns the mean loss over all samples, a Python float.
    Afterwards everything is as it was before: parameters, buffers, each .grad, model.training (be it True or
    False), and whether gradients are recorded.
    """
    raise NotImplementedError("TODO")


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    """For each epoch train on train_loader, then evaluate on val_loader.

    epochs: an int, 0 or more.
    Returns {"train_loss": [...], "val_loss": [...]}: two lists with one Python float for each epoch.
    """
    raise NotImplementedError("TODO")
