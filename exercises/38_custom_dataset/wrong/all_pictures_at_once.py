"""misconception: eager-images
fails: test_reads_on_demand, test_transform

Does all the work in __init__, so that reading an item is fast.
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
        self.items = []
        for name, label in read_table(csv_file):
            image = load_image(os.path.join(image_dir, name))
            if transform is not None:
                image = transform(image)
            self.items.append((image, label))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class Part(Dataset):
    def __init__(self, dataset, indices):
        self.dataset = dataset
        self.indices = indices

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]
