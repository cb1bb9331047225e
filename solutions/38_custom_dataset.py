import csv
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

CLASSES = ("cat", "dog")  # a label is the place of its class here: cat is 0, dog is 1


def read_table(csv_file):
    # newline="" leaves line ends to the csv module, which alone knows whether one is inside quotes.
    with open(csv_file, newline="", encoding="utf-8") as file:
        return [(row["file"], CLASSES.index(row["label"])) for row in csv.DictReader(file)]


def load_image(path):
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB"))  # (H, W, 3), uint8; grey becomes three equal channels
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


class PetDataset(Dataset):
    def __init__(self, csv_file, image_dir, transform=None):
        # Names and labels are small: they are kept. Pictures are large: they stay on the disk.
        self.rows = read_table(csv_file)
        self.image_dir = image_dir
        self.transform = transform

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        # A list raises IndexError past its end, and that is what ends `for image, label in dataset`.
        name, label = self.rows[index]
        image = load_image(os.path.join(self.image_dir, name))
        if self.transform is not None:
            image = self.transform(image)
        return image, label  # an int: the DataLoader makes an int64 tensor of a batch of ints


class Part(Dataset):
    def __init__(self, dataset, indices):
        self.dataset = dataset
        self.indices = indices

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        # From a position in the part to a position in the dataset. This is torch.utils.data.Subset.
        return self.dataset[self.indices[index]]
