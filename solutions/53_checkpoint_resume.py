import os
import re

import torch


def save_checkpoint(path, model, optimizer, scheduler, epoch):
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": epoch,
        "rng": torch.get_rng_state(),
        # Each GPU has a generator of its own.
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }
    # Whatever goes wrong goes wrong with the draft. It lies in the same folder, so the rename stays on one disk,
    # and there a rename is a single step: before it the name is the old file, after it the new one.
    draft = f"{path}.tmp"
    torch.save(checkpoint, draft)
    os.replace(draft, path)


def load_checkpoint(path, model, optimizer, scheduler):
    # Every machine has a CPU; load_state_dict then copies each tensor to where the model is. The states of the
    # generators are wanted on the CPU in any case.
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    torch.cuda.set_rng_state_all(checkpoint["cuda_rng"][: torch.cuda.device_count()])
    return checkpoint["epoch"] + 1


def saved_epochs(folder):
    # fullmatch: "epoch_7.pt.tmp", the draft of a save that failed, is no checkpoint.
    matches = [re.fullmatch(r"epoch_(\d+)\.pt", name) for name in os.listdir(folder)]
    return sorted(int(match[1]) for match in matches if match)


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
        scheduler.step()  # before the save: the file must hold the learning rate of the next epoch
        save_checkpoint(os.path.join(folder, f"epoch_{epoch}.pt"), model, optimizer, scheduler, epoch)
        keep_last(folder, keep)
    return losses
