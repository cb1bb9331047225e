import csv
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

CLASSES = ("cat", "dog")  # a label is the place of its class here: cat is 0, dog is 1


def read_table(csv_file):
    """Read which picture shows what.

    csv_file: path of a CSV file. Its first line names the columns, in any order. "file" and "label"
        are always among them; a label is one of CLASSES. Values may be quoted, and hold commas.

    Returns a list with one pair (file name, class index) for each row, in the order of the rows. The
    file name is a str, the class index an int.
    """
    raise NotImplementedError("TODO")


def load_image(path):
    """Read one picture as a tensor.

    path: path of a PNG file: colour, grey, or colour with transparency (leave the transparency out).

    Returns (3, H, W), float32, with values from 0 to 1.
    """
    raise NotImplementedError("TODO")


class PetDataset(Dataset):
    """The pictures that a table names, with their labels."""

    def __init__(self, csv_file, image_dir, transform=None):
        """Read the table, once. No picture is opened here.

        csv_file: path of a table as for read_table.
        image_dir: path of the folder that holds the pictures.
        transform: None, or a function that takes an image tensor and returns another.
        """
        raise NotImplementedError("TODO")

    def __len__(self):
        """The number of rows, an int."""
        raise NotImplementedError("TODO")

    def __getitem__(self, index):
        """The item at position `index` of the table: a pair (image, label).

        image: what load_image gives, (3, H, W); if there is a transform, what the transform makes of
            that. It is loaded, and transformed, anew at each read.
        label: int, 0 or 1. The transform does not touch it.

        Raises IndexError if index is len(self) or more.
        """
        raise NotImplementedError("TODO")


class Part(Dataset):
    """Some items of another dataset, for example those to train on. Nothing is copied."""

    def __init__(self, dataset, indices):
        """Read no item here.

        dataset: anything with __len__ and __getitem__.
        indices: list of int, positions in `dataset`, in any order; one may come twice.
        """
        raise NotImplementedError("TODO")

    def __len__(self):
        """The number of items in this part, an int."""
        raise NotImplementedError("TODO")

    def __getitem__(self, index):
        """The item at position `index` of this part, as `dataset` gives it.

        Raises IndexError if index is len(self) or more.
        """
        raise NotImplementedError("TODO")
