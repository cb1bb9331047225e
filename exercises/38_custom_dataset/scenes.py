"""What happens beside the learner's code: its datasets are made, walked and put into a DataLoader.

Every loop over an object of the learner's has a bound. `box` is a list with the path of the scratch folder and the
files that are to lie there. Both are taken out of it, since arguments are looked at again after the call, and this
path differs everywhere.
"""

import os

import torch
from torch.utils.data import DataLoader, Dataset


def tables(answer, box, names):
    """What read_table makes of each file."""
    root = _unpacked(box)
    return {name: answer.read_table(os.path.join(root, name)) for name in names}


def images(answer, box, names):
    """What load_image makes of each file, under the file's name."""
    root = _unpacked(box)
    return {os.path.basename(name): answer.load_image(os.path.join(root, name)) for name in names}


def items(answer, box, csv_file, image_dir, order):
    """The length, and the items in the order that was asked for."""
    dataset = _pets(answer, _unpacked(box), csv_file, image_dir)
    return {"length": len(dataset), "items": [dataset[index] for index in order]}


def walks(answer, box, folders):
    """For each table two for loops over its dataset, and reads past the end."""
    root, told = _unpacked(box), {}
    for csv_file, (image_dir, beyond, bound) in folders.items():
        dataset = _pets(answer, root, csv_file, image_dir)
        told[csv_file] = {
            "length": len(dataset),
            "for loop": _walk(dataset, bound),
            "second for loop": _walk(dataset, bound),
            "past the end": _past(dataset, beyond),
        }
    return told


def on_demand(answer, box, csv_file, image_dir, new_table, new_images):
    """Other files take the place of the table and the pictures, once the dataset has been made."""
    root = _unpacked(box)
    dataset = _pets(answer, root, csv_file, image_dir)
    _replace(os.path.join(root, csv_file), new_table)
    for name, data in new_images.items():
        _replace(os.path.join(root, image_dir, name), data)
    return {
        "length": len(dataset),
        "items": [_brief(dataset[index]) for index in range(len(new_images))],
        "changing an image changes the next read": _remembers(dataset),
    }


def transformed(answer, box, csv_file, image_dir, order, results):
    """The transform notes what it is given, and gives the tensors `results`, one after the other."""
    root = _unpacked(box)
    given = []

    def transform(image):
        given.append(image)
        return results[(len(given) - 1) % len(results)]

    dataset = _pets(answer, root, csv_file, image_dir, transform=transform)
    early = len(given)
    read = [dataset[index] for index in order]
    without = _pets(answer, root, csv_file, image_dir)
    images = {index: without[index][0] for index in order}
    return {
        "calls of transform in __init__": early,
        "calls of transform in all": len(given),
        "items": [(image, _plain(label)) for image, label in read],
        "transform was given": [_known(mine, images[index]) for mine, index in zip(given, order, strict=False)],
    }


def batches(answer, box, csv_file, image_dir, size, order):
    """What a DataLoader makes of the dataset, from first to last and in another order."""
    dataset = _pets(answer, _unpacked(box), csv_file, image_dir)
    loaders = {"first to last": DataLoader(dataset, size), "in another order": DataLoader(dataset, size, sampler=order)}
    return {name: _batches(loader, len(order)) for name, loader in loaders.items()}


def part_items(answer, values, labels, indices, order):
    """Items of a part, and which items of the whole dataset each read fetched."""
    whole = Recorder(values, labels)
    part = answer.Part(whole, indices)
    seen = {"items fetched by making the part": len(whole.fetched), "items": [], "fetched": []}
    for index in order:
        whole.fetched.clear()
        seen["items"].append(part[index])
        seen["fetched"].append(sorted(set(whole.fetched)))
    return seen


def part_end(answer, values, labels, indices, inner, size, beyond, bound):
    """Length and end of a part, its batches, and a part of the part."""
    part = answer.Part(Recorder(values, labels), indices)
    smaller = answer.Part(part, inner)
    return {
        "length": len(part),
        "for loop": _walk(part, bound),
        "past the end": _past(part, beyond),
        "batches": _batches(DataLoader(part, size), bound),
        "length of a part of the part": len(smaller),
        "a part of the part": _walk(smaller, bound),
        "past its end": _past(smaller, beyond),
    }


class Recorder(Dataset):
    """Item `index` is (values[index], labels[index]); it remembers which were fetched."""

    def __init__(self, values, labels):
        self.values = values
        self.labels = labels
        self.fetched = []

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        if not 0 <= index < len(self.values):
            raise IndexError(f"there is no item {int(index)}")
        self.fetched.append(int(index))
        return self.values[index], self.labels[index]


def _unpacked(box):
    """Write the box's files; answers with the path of the folder."""
    root, files = box
    box.clear()
    for name, data in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return root


def _pets(answer, root, csv_file, image_dir, **options):
    return answer.PetDataset(os.path.join(root, csv_file), os.path.join(root, image_dir), **options)


def _walk(dataset, bound):
    found = []
    for item in dataset:
        if len(found) == bound:
            break
        found.append(_brief(item))
    return found


def _past(dataset, positions):
    found = []
    for index in positions:
        try:
            found.append(_brief(dataset[index]))
        except (IndexError, StopIteration) as end:
            found.append(type(end).__name__)
    return found


def _batches(loader, bound):
    found = []
    for batch in loader:
        if len(found) == bound:
            break
        found.append(batch)
    return found


def _brief(item):
    """Which picture it is, by its number of values (each has its own), and the label."""
    if not isinstance(item, tuple | list) or len(item) != 2:
        return "None" if item is None else type(item).__name__
    image, label = item
    what = image.numel() if isinstance(image, torch.Tensor) else type(image).__name__
    return what, _plain(label)


def _plain(label):
    """A label as a Python number, where it is one at heart: what kind it is, another check asks."""
    if isinstance(label, torch.Tensor) and label.numel() == 1:
        label = label.item()
    return int(label) if isinstance(label, bool | float) else label


def _known(given, image):
    """Whether a transform was given the image that the dataset holds without it, in words."""
    if not isinstance(given, torch.Tensor):
        return type(given).__name__
    if isinstance(image, torch.Tensor) and given.dtype == image.dtype and torch.equal(given, image):
        return "the image tensor"
    return f"another tensor: {given.dtype}, {tuple(given.shape)}"


def _remembers(dataset):
    """Whether item 0 shows what was done to it when it was read before."""
    image = dataset[0][0]
    if not isinstance(image, torch.Tensor):
        return None
    before = image.clone()
    image.zero_()
    return not torch.equal(dataset[0][0], before)


def _replace(path, data):
    """A new file under the old name: what was opened before stays the old one."""
    os.remove(path)
    with open(path, "wb") as file:
        file.write(data)
