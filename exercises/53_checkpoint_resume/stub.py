import os
import re

import torch


def save_checkpoint(path, model, optimizer, scheduler, epoch):
    """Write everything that a training needs to go on as if it had never stopped.

    path: str, the name of the file; an older checkpoint of that name is replaced.
    epoch: int, the epoch that is now finished, counted from 0.

    The file holds the states of model, optimizer, scheduler and torch's random generator (those of the GPUs
    too, where CUDA is in use), and the epoch: only tensors, numbers, text, lists and dicts, so that
    torch.load(path, weights_only=True) opens it. Under which keys is up to you.

    At every moment `path` is the old checkpoint or the new one, whole; never a part of one, never nothing.
    If writing fails, the error reaches the caller. Once it is done, no other file is left in the folder.
    """
    raise NotImplementedError("TODO")


def load_checkpoint(path, model, optimizer, scheduler):
    """Put everything back that save_checkpoint wrote, and return the next epoch to train, an int.

    model, optimizer, scheduler: newly made, of the same kinds as those that were saved; changed in place.

    A file from a GPU must load on a machine without one, into a model on any device. A file with other names
    than the model's is an error. A file with code in it must not run it. The model stays in train mode if it
    was in train mode.
    """
    raise NotImplementedError("TODO")


def saved_epochs(folder):
    """The numbers N of all files in `folder` that are called exactly epoch_N.pt: a list of int, lowest first.

    folder: str, a folder that exists. Other files may lie in it.
    """
    raise NotImplementedError("TODO")


def keep_last(folder, k):
    """Delete all files epoch_N.pt but the k with the highest N. Returns nothing.

    k: int, at least 1. Where there are no more than k, all stay. Files with other names stay in any case.
    """
    raise NotImplementedError("TODO")


def train_with_checkpoints(folder, model, optimizer, scheduler, train_epoch, epochs, keep):
    """Train `epochs` epochs in all; go on from the newest checkpoint in `folder` if there is one.

    folder: str; make it if it is not there yet.
    train_epoch: train_epoch(epoch) trains `model` with `optimizer` for one epoch and returns its loss, a
        float. It does not touch the scheduler.
    keep: int, how many checkpoints stay in the folder.

    After each epoch N: one step of the scheduler, then epoch_N.pt is written, then older ones are deleted.
    Returns the losses of the epochs that this call has trained, a list of float.
    """
    raise NotImplementedError("TODO")
