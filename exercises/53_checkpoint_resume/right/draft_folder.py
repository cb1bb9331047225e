"""The draft is written into a temporary folder beside the target and moved with shutil.move; the list of
generators and the parts are saved in loops; the newest epoch is found with max.
"""

import glob
import os
import re
import shutil
import tempfile

import torch

PARTS = ("model", "optimizer", "scheduler")


def save_checkpoint(path, model, optimizer, scheduler, epoch):
    checkpoint = {name: part.state_dict() for name, part in zip(PARTS, (model, optimizer, scheduler), strict=True)}
    checkpoint.update(epoch=epoch, rng_state=torch.get_rng_state())
    if next(model.parameters()).is_cuda:
        checkpoint["cuda_rng_state"] = torch.cuda.get_rng_state()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        draft = os.path.join(folder, "draft")
        torch.save(checkpoint, draft)
        shutil.move(draft, path)


def load_checkpoint(path, model, optimizer, scheduler):
    checkpoint = torch.load(path, weights_only=True, map_location=torch.device("cpu"))
    for name, part in zip(PARTS, (model, optimizer, scheduler), strict=True):
        part.load_state_dict(checkpoint[name])
    if next(model.parameters()).is_cuda and "cuda_rng_state" in checkpoint:
        torch.cuda.set_rng_state(checkpoint["cuda_rng_state"])
    torch.set_rng_state(checkpoint["rng_state"])
    return int(checkpoint["epoch"]) + 1


def saved_epochs(folder):
    numbers = set()
    for path in glob.glob(os.path.join(glob.escape(folder), "*")):
        if found := re.match(r"^epoch_([0-9]+)\.pt$", os.path.basename(path)):
            numbers.add(int(found.group(1)))
    return sorted(numbers)


def keep_last(folder, k):
    keep = set(saved_epochs(folder)[-k:])
    for epoch in saved_epochs(folder):
        if epoch not in keep:
            os.remove(f"{folder}/epoch_{epoch}.pt")


def train_with_checkpoints(folder, model, optimizer, scheduler, train_epoch, epochs, keep):
    os.makedirs(folder, exist_ok=True)
    done = saved_epochs(folder)
    start = load_checkpoint(f"{folder}/epoch_{max(done)}.pt", model, optimizer, scheduler) if done else 0
    losses = []
    for epoch in range(start, epochs):
        loss = train_epoch(epoch)
        losses.append(loss)
        scheduler.step()
        save_checkpoint(f"{folder}/epoch_{epoch}.pt", model, optimizer, scheduler, epoch)
        keep_last(folder, keep)
    return losses
