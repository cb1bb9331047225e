"""Tables and pictures are made anew for each run. In a "plain" folder the table lies beside the pictures, its
columns stand as in the README and nothing needs quotes; a "wild" one has every surprise that the README names.
Where every picture of a check has another number of pixels, that number tells which picture was read.
"""

import csv
import io

import numpy as np
import torch
from PIL import Image

from grader.checks import check, difference, fail

COLUMNS = ("id", "file", "label", "guess", "note")
# The file stands where it stood, and the guess where the label was.
MOVED = (
    ("note", "file", "guess", "id", "label"),
    ("label", "file", "guess", "note", "id"),
    ("id", "file", "guess", "label", "note"),
)
NOTES = ('dreams, or "thinks"', "on the sofa, again", '"who, me?"')
# No two with the same number of pixels.
SIZES = ((2, 3), (3, 3), (2, 5), (7, 2), (5, 3), (4, 4), (11, 2), (5, 5), (2, 13), (7, 5), (2, 19), (7, 7))


@check(points=3)
def test_read_table(student, draw):
    """read_table gives a file name and a class index for every row."""
    plain = _rows(draw, 5)
    # A dog comes first: numbering the classes as they come would show.
    wild = _wild(draw, [1, 0, 1, *_labels(draw, 2)])
    dogs = _rows(draw, 3, labels=[1, 1, 1])
    tables = {
        "table/plain.csv": _csv(plain),
        "table/wild.csv": _csv(wild, draw.choice(MOVED), "\r\n"),
        "table/dogs.csv": _csv(dogs, draw.choice(MOVED)),
    }
    answer = student.scene("tables", _box(student, tables), list(tables))
    for name, data in tables.items():
        if told := difference(answer.value[name], answer.expected[name], "the result of read_table"):
            fail(f"{told[:1].upper()}{told[1:]} The table:\n{data.decode().strip()}")
    answer.agrees()


@check(points=3)
def test_load_image(student, draw):
    """load_image gives three channels first, float32 from 0 to 1, for every kind of PNG."""
    high, wide = draw.whole(2, 5), draw.whole(6, 9)
    kinds = {
        "colour": _png(draw, high, wide),
        "square": _png(draw, 3, 3),  # (H, W, 3) and (3, H, W) are one shape here
        "grey": _png(draw, high, wide, "L"),
        "transparent": _png(draw, wide, high, "RGBA"),
        "one_grey_pixel": _png(draw, 1, 1, "L"),
    }
    files = {f"image/{name}.png": data for name, data in kinds.items()}
    student.scene("images", _box(student, files), list(files)).agrees()


@check(points=3)
def test_items(student, draw):
    """An item of PetDataset is the image of that row, and its label as an int."""
    rows = _wild(draw, [0, 1, 0, draw.whole(0, 1)])
    names = sorted({row["file"] for row in rows})
    modes = ["L", "RGBA", *["RGB"] * len(names)]
    files = {f"items/pictures/{name}": _png(draw, *SIZES[n], modes[n]) for n, name in enumerate(names)}
    # Pictures of the same names lie beside the table, and one that the table does not name beside the others.
    files |= {f"items/{name}": _png(draw, 6, 4) for name in names}
    files |= {"items/pictures/0_new.png": _png(draw, 4, 6), "items/labels.csv": _csv(rows, MOVED[0])}
    order = _shuffled(draw, range(len(rows)))
    box = _box(student, files)
    student.scene("items", box, "items/labels.csv", "items/pictures", [*order, order[0]]).agrees()


@check(points=2)
def test_walk_to_the_end(student, draw):
    """A for loop over PetDataset visits every row once and ends."""
    files, walks = {}, {}
    for name, count in (("walk", 3), ("one", 1)):
        files |= _plain(draw, name, count)[1]
        beyond = [count, count + draw.whole(1, 9), 10 * count + draw.whole(0, 9)]
        walks[f"{name}/labels.csv"] = (name, beyond, count + 3)
    student.scene("walks", _box(student, files), walks).agrees()


@check(points=2)
def test_reads_on_demand(student, draw):
    """PetDataset reads the table once, and a picture only when it is asked for."""
    rows, files = _plain(draw, "demand", 3)
    # The rows turned round, and one more: a dataset that looks at the table again changes.
    table = _csv([*reversed(rows), *_rows(draw, 1)])
    images = {row["file"]: _png(draw, *SIZES[-1 - n]) for n, row in enumerate(rows)}
    student.scene("on_demand", _box(student, files), "demand/labels.csv", "demand", table, images).agrees()


@check(points=2)
def test_transform(student, draw):
    """The transform is given the image, at each read, and the item holds what it gave back."""
    rows, files = _plain(draw, "transform", 3)
    order = _shuffled(draw, range(len(rows)))
    order.append(order[0])
    results = [draw.normal(2, 3) for _ in order]
    student.scene("transformed", _box(student, files), "transform/labels.csv", "transform", order, results).agrees()


@check(points=2)
def test_batches(student, draw):
    """A DataLoader makes batches of images (B, 3, H, W) and int64 labels (B,)."""
    high, wide = draw.whole(2, 4), draw.whole(5, 7)
    modes = _shuffled(draw, ["L", "RGB", "RGBA"])
    rows = _rows(draw, len(modes))
    files = {f"batches/{row['file']}": _png(draw, high, wide, mode) for row, mode in zip(rows, modes, strict=True)}
    files |= {"batches/0_new.png": _png(draw, high, wide), "batches/labels.csv": _csv(rows)}
    # Batches of 2 and 1: the last is smaller.
    order = _shuffled(draw, range(len(rows)))
    student.scene("batches", _box(student, files), "batches/labels.csv", "batches", 2, order).agrees()


@check(points=2)
def test_part_items(student, draw):
    """An item of Part is the item of the dataset at the position that the part's list names."""
    values, labels = draw.distinct(9, 3), _labels(draw, 9)
    indices = _shuffled(draw, range(9))[:5]
    indices.append(indices[1])
    order = _shuffled(draw, range(len(indices)))
    student.scene("part_items", values, labels, indices, order).agrees()


@check(points=1)
def test_part_end(student, draw):
    """Part has the length of its list, ends there, and goes into a DataLoader or another Part."""
    values, labels = torch.arange(9.0), [10 * n + draw.whole(0, 9) for n in range(9)]
    indices = _shuffled(draw, range(9))[:5]
    inner = _shuffled(draw, range(5))[:3]
    student.scene("part_end", values, labels, indices, inner, 2, [5, 6, 8, 30], 8).agrees()


def _box(student, files):
    """What a scene takes out of its first argument: the scratch folder, and files for it by relative path."""
    return [student.path(), files]


def _rows(draw, count, labels=None):
    """Rows for a table. Without `labels`, the first is a cat, one is a dog, and ids are positions."""
    labels = labels or _labels(draw, count)
    return [
        {"id": n, "file": f"{draw.word(5)}{n}.png", "label": ("cat", "dog")[label],
         "guess": draw.choice(("cat", "dog")), "note": draw.choice(("", "on the sofa", "outside"))}
        for n, label in enumerate(labels)
    ]  # fmt: skip


def _wild(draw, labels):
    """Rows with everything that the README warns of; the last repeats the second."""
    rows = _rows(draw, len(labels), labels)
    rows[0]["file"] = f"{draw.word(4)}, asleep.png"
    rows[2]["file"] = f"{draw.word(4)}, {draw.word(4)}, asleep.png"
    for row in rows:
        row["note"] = draw.choice(NOTES)
    # The old model is wrong about the first, and right about the second: neither the labels nor their opposite.
    rows[0]["guess"] = "cat" if rows[0]["label"] == "dog" else "dog"
    rows[1]["guess"] = rows[1]["label"]
    rows.append(dict(rows[1]))
    ids = _shuffled(draw, range(len(rows)))
    for row, number in zip(rows, ids, strict=True):
        row["id"] = number
    return rows


def _plain(draw, folder, count):
    """The rows and the files of a plain folder whose pictures all have different sizes; one is not in the table."""
    rows = _rows(draw, count)
    sizes = _shuffled(draw, SIZES[:7])
    files = {f"{folder}/{row['file']}": _png(draw, *size) for row, size in zip(rows, sizes, strict=False)}
    return rows, {**files, f"{folder}/0_new.png": _png(draw, 6, 6), f"{folder}/labels.csv": _csv(rows)}


def _labels(draw, count):
    """Class indices: a cat first, then a dog, then as it comes."""
    return [0, 1, *(draw.whole(0, 1) for _ in range(count))][:count]


def _shuffled(draw, things):
    """In random order, but never in the order given."""
    things = list(things)
    order = draw.permutation(len(things))
    while len(things) > 1 and order == sorted(order):
        order = draw.permutation(len(things))
    return [things[n] for n in order]


def _csv(rows, columns=COLUMNS, end="\n"):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("ascii")


def _png(draw, height, width, mode="RGB"):
    """A PNG file of noise, `mode` "RGB", "L" (grey) or "RGBA"."""
    channels = {"RGB": 3, "L": 1, "RGBA": 4}[mode]
    pixels = draw.integers(0, 256, height, width, channels, dtype=torch.uint8).numpy()
    data = io.BytesIO()
    Image.fromarray(np.squeeze(pixels, 2) if mode == "L" else pixels).save(data, "PNG")
    return data.getvalue()
