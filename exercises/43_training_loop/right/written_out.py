"""Everything written out by index, gradients zeroed in place after the step, the sum kept as a detached tensor."""

import torch


def train_step(model, x, y, loss_fn, optimizer):
    prediction = model(x)
    loss = loss_fn(prediction, y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return float(loss)


def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train(True)
    running_loss = None
    samples = 0
    for _i, batch in enumerate(loader):
        inputs, labels = batch[0], batch[1]
        output = model(inputs)
        loss = loss_fn(output, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        part = loss.detach() * inputs.size(0)
        running_loss = part if running_loss is None else running_loss + part
        samples += inputs.size(0)
    return running_loss.item() / samples


def evaluate(model, loader, loss_fn):
    mode = model.training
    before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        model.eval()
        running_loss = 0.0
        samples = 0
        for _i, batch in enumerate(loader):
            inputs, labels = batch[0], batch[1]
            loss = loss_fn(model(inputs), labels)
            running_loss += float(loss) * labels.shape[0]
            samples += labels.shape[0]
    finally:
        torch.set_grad_enabled(before)
        if mode:
            model.train()
    return running_loss / samples


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    train_losses = []
    val_losses = []
    epoch = 0
    while epoch < epochs:
        train_losses.append(train_one_epoch(model, train_loader, loss_fn, optimizer))
        val_losses.append(evaluate(model, val_loader, loss_fn))
        epoch += 1
    return {"train_loss": train_losses, "val_loss": val_losses}
