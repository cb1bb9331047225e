"""misconception: no-index-error
fails: test_walk_to_the_end

Checks the index, and does nothing where it is too large. Doing nothing returns None.
"""

import csv
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

CLASSES = ("cat", "dog")


def read_table(csv_file):
    with open(csv_file, newline="") as file:
        return [(row["file"], CLASSES.index(row["label"])) for row in csv.DictReader(file)]


def load_image(path):
    pixels = np.array(Image.open(path).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


class PetDataset(Dataset):
    def __init__(self, csv_file, image_dir, transform=None):
        self.rows = read_table(csv_file)
        self.image_dir = image_dir
        self.transform = transform

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        if index < len(self):
            name, label = self.rows[index]
            image = load_image(os.path.join(self.image_dir, name))
            if self.transform is not None:
                image = self.transform(image)
            return image, label


class Part(Dataset):
    def __init__(self, dataset, indices):
        self.dataset = dataset
        self.indices = indices

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]
