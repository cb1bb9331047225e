"""The checkpoint is made in memory and its bytes are flushed to the disk before os.rename; a helper lists
(epoch, path) pairs by hand without regular expressions; map_location is a function; two passes in keep_last.
"""

import io
import os

import torch


def _pairs(folder):
    pairs = []
    for entry in os.scandir(folder):
        name = entry.name
        if not name.startswith("epoch_") or not name.endswith(".pt"):
            continue
        middle = name[6:-3]
        if middle.isdigit():
            pairs.append((int(middle), entry.path))
    pairs.sort()
    return pairs


def save_checkpoint(path, model, optimizer, scheduler, epoch):
    rng = [torch.get_rng_state()]
    if torch.cuda.is_initialized():
        rng.extend(torch.cuda.get_rng_state_all())
    buffer = io.BytesIO()
    torch.save((epoch, rng, model.state_dict(), optimizer.state_dict(), scheduler.state_dict()), buffer)
    draft = os.path.join(os.path.dirname(path), f"draft.{os.getpid()}")
    try:
        with open(draft, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, path)
    finally:
        if os.path.exists(draft):
            os.remove(draft)


def load_checkpoint(path, model, optimizer, scheduler):
    with open(path, "rb") as file:
        content = torch.load(file, map_location=lambda storage, location: storage, weights_only=True)
    epoch, rng = content[0], content[1]
    for part, state in zip((model, optimizer, scheduler), content[2:], strict=True):
        part.load_state_dict(state)
    torch.set_rng_state(rng[0])
    if torch.cuda.is_initialized():
        for index, state in enumerate(rng[1:]):
            torch.cuda.set_rng_state(state, index)
    return epoch + 1


def saved_epochs(folder):
    return [epoch for epoch, _ in _pairs(folder)]


def keep_last(folder, k):
    pairs = _pairs(folder)
    while len(pairs) > k:
        _, oldest = pairs.pop(0)
        os.unlink(oldest)


def train_with_checkpoints(folder, model, optimizer, scheduler, train_epoch, epochs, keep):
    if not os.path.exists(folder):
        os.makedirs(folder)
    pairs = _pairs(folder)
    first = load_checkpoint(pairs[-1][1], model, optimizer, scheduler) if pairs else 0

    losses = []
    for epoch in range(epochs):
        if epoch < first:
            continue
        losses += [train_epoch(epoch)]
        scheduler.step()
        save_checkpoint(os.path.join(folder, "epoch_" + str(epoch) + ".pt"), model, optimizer, scheduler, epoch)
        keep_last(folder, keep)
    return losses
