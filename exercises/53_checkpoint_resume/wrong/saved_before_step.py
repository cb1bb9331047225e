"""misconception: saved-before-step
fails: test_train_resumes, test_train_newest

The epoch is over when train_epoch returns, so that is the moment to save.
"""

import os
import re

import torch


def save_checkpoint(path, model, optimizer, scheduler, epoch):
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "epoch": epoch,
    }
    torch.save(checkpoint, path + ".tmp")
    os.replace(path + ".tmp", path)


def load_checkpoint(path, model, optimizer, scheduler):
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    torch.cuda.set_rng_state_all(checkpoint["cuda_rng"][: torch.cuda.device_count()])
    return checkpoint["epoch"] + 1


def saved_epochs(folder):
    epochs = []
    for name in os.listdir(folder):
        match = re.fullmatch(r"epoch_(\d+)\.pt", name)
        if match:
            epochs.append(int(match.group(1)))
    return sorted(epochs)


def keep_last(folder, k):
    for epoch in saved_epochs(folder)[:-k]:
        os.remove(os.path.join(folder, f"epoch_{epoch}.pt"))


def train_with_checkpoints(folder, model, optimizer, scheduler, train_epoch, epochs, keep):
    os.makedirs(folder, exist_ok=True)
    start = 0
    done = saved_epochs(folder)
    if done:
        newest = os.path.join(folder, f"epoch_{done[-1]}.pt")
        start = load_checkpoint(newest, model, optimizer, scheduler)
    losses = []
    for epoch in range(start, epochs):
        losses.append(train_epoch(epoch))
        save_checkpoint(os.path.join(folder, f"epoch_{epoch}.pt"), model, optimizer, scheduler, epoch)
        keep_last(folder, keep)
        scheduler.step()
    return losses
