"""By hand where the reference leaves it to others: csv.reader with the header searched, an IndexError raised
in so many words, grey and transparency told apart by the number of channels, pathlib, labels from a dict."""

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

CLASSES = ("cat", "dog")


def read_table(csv_file: str) -> list[tuple[str, int]]:
    number = {name: place for place, name in enumerate(CLASSES)}
    pairs = []
    with Path(csv_file).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader)
        at_file, at_label = header.index("file"), header.index("label")
        for row in reader:
            pairs.append((row[at_file], number[row[at_label]]))
    return pairs


def load_image(path: str | Path) -> torch.Tensor:
    pixels = np.asarray(Image.open(path), dtype=np.float32)
    if pixels.ndim == 2:
        pixels = np.stack([pixels, pixels, pixels], axis=2)
    channels = [torch.from_numpy(np.ascontiguousarray(pixels[:, :, c])) for c in range(3)]
    return torch.stack(channels) / 255.0


class PetDataset(Dataset):
    def __init__(self, csv_file, image_dir, transform=None):
        super().__init__()
        pairs = read_table(csv_file)
        self.paths = [Path(image_dir) / name for name, _ in pairs]
        self.labels = torch.tensor([label for _, label in pairs])
        self.transform = transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if index < 0 or index >= len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} items")
        image = load_image(self.paths[index])
        return (self.transform(image) if self.transform else image), self.labels[index].item()


class Part(Dataset):
    def __init__(self, dataset, indices):
        super().__init__()
        if any(not 0 <= position < len(dataset) for position in indices):
            raise ValueError("a position lies outside the dataset")
        self.dataset = dataset
        self.indices = tuple(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int):
        if not 0 <= index < len(self):
            raise IndexError(index)
        image, label = self.dataset[self.indices[index]]
        return image, label
