"""What runs beside the learner's code: tiny nets, trainings that are cut short, and recorders.

Each scene is given its folder in a list and takes it out, so that no reply holds a path of the machine. It is
compiled in each process and kept small: only a resumed training is worth a process of its own, elsewhere a
checkpoint is loaded into newly made objects.
"""

import contextlib
import errno
import os
import re
import sys
import time

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, StepLR


class PowerCut(BaseException):
    """Ends a training in the middle of an epoch, as a pulled plug does."""


class Unwritable(torch.Tensor):
    """A tensor with which the disk is full: whoever writes it fails in the middle of the file."""

    def __reduce_ex__(self, protocol):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class MakesFolder:
    """Pickled, it becomes an order to make a folder, which a careless reader of the file obeys."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


# ------------------------------------------------------------------------------------- what is trained


def opened(where):
    """The scene's folder, made if need be."""
    folder = where.pop()
    os.makedirs(folder, exist_ok=True)
    return folder


def linear(inputs, width=2):
    return nn.Linear(inputs.shape[1], width).to(inputs.device)


def sgd(net, lr=0.05, every=100, gamma=0.5):
    """An optimizer and a scheduler for `net`."""
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    return optimizer, StepLR(optimizer, every, gamma)


def adam(net, every=100):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    return optimizer, StepLR(optimizer, every, 0.5)


def step(net, optimizer, inputs):
    optimizer.zero_grad()
    loss = net(inputs).square().mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def copied(net):
    return [value.detach().clone() for value in net.state_dict().values()]


def rate(optimizer):
    return float(optimizer.param_groups[0]["lr"])


def attempt(ask):
    """Whether `ask` raised, and what; a function that is still to be written is no failure."""
    try:
        ask()
    except NotImplementedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is asked about
        return type(error).__name__
    return ""


# ---------------------------------------------------------------------------- what comes back in new objects


def weights_back(answer, where, epoch, *tables):
    """Save a net for each table, change it, carry all files elsewhere, and load them in the other order."""
    folder = opened(where)
    os.mkdir(os.path.join(folder, "carried"))

    def net(inputs):
        return nn.Sequential(linear(inputs, inputs.shape[0]), nn.BatchNorm1d(inputs.shape[0])).to(inputs.device)

    for number, inputs in enumerate(tables):
        saved, path = net(inputs), os.path.join(folder, f"{number}.pt")
        with torch.no_grad():
            saved(inputs)
            answer.save_checkpoint(path, saved, *sgd(saved), epoch + number)
            for value in saved.state_dict().values():
                value.zero_()
        os.rename(path, os.path.join(folder, "carried", f"{number}.pt"))
    found = {}
    for number, inputs in reversed(list(enumerate(tables))):
        other = net(inputs)
        answer.load_checkpoint(os.path.join(folder, "carried", f"{number}.pt"), other, *sgd(other))
        found[f"{inputs.shape[1]} to {inputs.shape[0]}"] = dict(zip(other.state_dict(), copied(other), strict=True))
    return found


def next_epoch(answer, where, epochs, inputs):
    folder, net = opened(where), linear(inputs)
    parts = net, *sgd(net)
    paths = [os.path.join(folder, f"epoch_{epoch}.pt") for epoch in epochs]
    for path, epoch in zip(paths, epochs, strict=True):
        answer.save_checkpoint(path, *parts, epoch)
    return {f"after epoch {epoch}": answer.load_checkpoint(path, *parts)
            for path, epoch in zip(paths, epochs, strict=True)}  # fmt: skip


def steps(answer, where, inputs):
    """2 steps, a checkpoint, and 2 steps more with new objects into which it was loaded."""
    folder, found = opened(where), {}
    # All nets are made first, as what they start from depends on the generator, which the answer may put back.
    nets = [linear(inputs) for _ in range(4)]
    for kind, make in (("Adam", adam), ("momentum", sgd)):
        path, net, other = os.path.join(folder, f"{kind}.pt"), nets.pop(), nets.pop()
        optimizer, scheduler = make(net)
        step(net, optimizer, inputs)
        step(net, optimizer, inputs)
        answer.save_checkpoint(path, net, optimizer, scheduler, 1)
        net, (optimizer, scheduler) = other, make(other)
        answer.load_checkpoint(path, net, optimizer, scheduler)
        losses = [step(net, optimizer, inputs) for _ in range(2)]
        found[kind] = {"losses": losses, "weights": copied(net)}
    return found


def rates(optimizer, scheduler, count):
    """The learning rate of each of the next `count` epochs."""
    trace = []
    for _ in range(count):
        trace.append(rate(optimizer))
        optimizer.step()
        scheduler.step()
    return trace


def rates_back(answer, where, cuts, lr, every, gamma, inputs):
    """The learning rates of the epochs after a checkpoint; `cuts` has a number of epochs before it for each kind."""
    folder, net = opened(where), linear(inputs)

    def made(kind):
        if kind == "step":
            return sgd(net, lr, every, gamma)
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
        return optimizer, CosineAnnealingLR(optimizer, T_max=12)

    found = {}
    for kind, cut in cuts.items():
        path, (optimizer, scheduler) = os.path.join(folder, f"{kind}.pt"), made(kind)
        rates(optimizer, scheduler, cut)
        answer.save_checkpoint(path, net, optimizer, scheduler, cut - 1)
        optimizer, scheduler = made(kind)
        answer.load_checkpoint(path, net, optimizer, scheduler)
        found[f"{kind}, from epoch {cut} on"] = rates(optimizer, scheduler, 4)
    return found


def noise(net, ones):
    """What chance gives next: an order to shuffle by, and what dropout lets through."""
    return {
        "shuffled order": torch.randperm(12).tolist(),
        "what dropout lets through": net[1](ones),
        "normal numbers": torch.randn(3),
    }


def noise_back(answer, where, burnt, ones):
    """The numbers after a save, and those after loading it into new objects when chance has gone elsewhere."""
    path, found = os.path.join(opened(where), "noise.pt"), []
    net = nn.Sequential(linear(ones), nn.Dropout(0.5))
    torch.rand(burnt)
    answer.save_checkpoint(path, net, *sgd(net), 0)
    found.append(noise(net, ones))
    torch.manual_seed(1_000_000 + burnt)
    net = nn.Sequential(linear(ones), nn.Dropout(0.5))
    answer.load_checkpoint(path, net, *sgd(net))
    return {"after the save": found[0], "after loading": noise(net, ones)}


# --------------------------------------------------------------------------------------- what is in the file


class Shelf(nn.Module):
    """A model with a class of its own, as learners' models have."""

    def __init__(self, inputs):
        super().__init__()
        self.layer = linear(inputs)

    def forward(self, inputs):
        return self.layer(inputs)


def plain(answer, where, epoch, inputs):
    """Whether the file opens as plain data, and if not, what stops it; then let load_checkpoint open a file that
    makes a folder when it is read without care.
    """
    folder, net = opened(where), Shelf(inputs)
    path, stranger, trap = (os.path.join(folder, name) for name in ("plain.pt", "stranger.pt", "made_by_the_file"))
    optimizer, scheduler = adam(net)
    step(net, optimizer, inputs)
    answer.save_checkpoint(path, net, optimizer, scheduler, epoch)
    holds = ""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a pickle that is no checkpoint raises whatever it likes
        found = re.search(r"GLOBAL (\w+)", str(error))
        holds = found[1] if found else "another kind"
    torch.save({"model": net.state_dict(), "epoch": 3, "note": MakesFolder(trap)}, stranger)
    attempt(lambda: answer.load_checkpoint(stranger, net, optimizer, scheduler))
    return {"holds something of": holds, "a stranger's code ran": os.path.isdir(trap)}


def as_from_a_missing_gpu(path):
    """Write the file again, with a note that its tensors lay on a GPU which this machine does not have."""
    content = torch.load(path, map_location="cpu", weights_only=False)
    place, real = f"cuda:{torch.cuda.device_count()}", torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: place
    try:
        torch.save(content, path)
    finally:
        torch.serialization.location_tag = real


def move_devices(answer, where, inputs):
    path, net = os.path.join(opened(where), "gpu.pt"), linear(inputs)
    optimizer, scheduler = adam(net)
    step(net, optimizer, inputs)
    answer.save_checkpoint(path, net, optimizer, scheduler, 0)
    as_from_a_missing_gpu(path)
    other = linear(inputs)
    answer.load_checkpoint(path, other, *adam(other))
    return {"weights": copied(other)}


def misfits(answer, where, names, others, inputs):
    """Save a net, and load it into nets of the same shapes whose layers have other names: which were refused?"""
    path = os.path.join(opened(where), "misfit.pt")

    def net(parts):
        made = nn.Sequential()
        made.add_module(parts[0], linear(inputs))
        made.add_module(parts[1], nn.Linear(2, 2))
        return made.to(inputs.device)

    saved = net(names)
    answer.save_checkpoint(path, saved, *sgd(saved), 0)
    found = []
    for parts in others:
        other = net(parts)
        optimizer, scheduler = sgd(other)
        found.append(bool(attempt(lambda: answer.load_checkpoint(path, other, optimizer, scheduler))))  # noqa: B023
    return found


# --------------------------------------------------------------------------------------- how it is written


def fail_midway(answer, where, epoch, inputs):
    """A good save, one to the same name for which the disk has no room, and what is under that name then."""
    path, net = os.path.join(opened(where), "latest.pt"), linear(inputs)
    optimizer, scheduler = sgd(net)
    answer.save_checkpoint(path, net, optimizer, scheduler, epoch)
    step(net, optimizer, inputs)
    net.register_buffer("extra", torch.zeros(2).as_subclass(Unwritable))
    error = attempt(lambda: answer.save_checkpoint(path, net, optimizer, scheduler, epoch + 1))
    other = linear(inputs)
    unread = attempt(lambda: answer.load_checkpoint(path, other, *sgd(other)))
    return {
        "the error reached the caller": bool(error),
        "loads": not unread,
        "weights": [] if unread else copied(other),
    }


@contextlib.contextmanager
def watched(path):
    """Look at `path` whenever a call inside has ended: what another program could see there."""
    seen = []

    def look(_, event, __):
        if event == "call" or event == "c_call":  # noqa: PLR1714 - many thousand times
            return
        try:
            found = os.stat(path)
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            state = None
        if not seen or seen[-1][0] != state:
            seen.append((state, len(os.listdir(os.path.dirname(path)))))

    look(None, "return", None)
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(before)
        look(None, "return", None)


def told(seen):
    """What was seen of a file, in words and without repetitions."""
    old, new = seen[0][0], seen[-1][0]
    words = []
    for state, files in seen:
        if state is None:
            word = "nothing"
        elif state in (old, new):
            word = "new" if state == new else "old"
        else:
            word = "a part" if files == 1 else "a part, beside another file"
        if not words or words[-1] != word:
            words.append(word)
    return words


def watch_save(answer, where, inputs):
    """What stands under the final name during a save over an older checkpoint."""
    folder, net = opened(where), linear(inputs)
    path, (optimizer, scheduler) = os.path.join(folder, "latest.pt"), sgd(net)
    answer.save_checkpoint(path, net, optimizer, scheduler, 0)
    step(net, optimizer, inputs)
    with watched(path) as seen:
        answer.save_checkpoint(path, net, optimizer, scheduler, 1)
    return {"seen": told(seen), "left": sorted(os.listdir(folder))}


# ----------------------------------------------------------------------------------------------- the folder


def scattered(folder, earlier, later, strangers, pause=0.0):
    """Checkpoints by number (empty files, written in two groups), and files that are none."""
    os.mkdir(folder)
    for epoch in earlier:
        touch(folder, f"epoch_{epoch}.pt")
    if pause:
        time.sleep(pause)
    for epoch in later:
        touch(folder, f"epoch_{epoch}.pt")
    for name in strangers:
        touch(folder, name)
    return folder


def touch(folder, name):
    with open(os.path.join(folder, name), "wb"):
        pass


def list_saved(answer, where, cases):
    home = opened(where)
    folders = [scattered(os.path.join(home, str(n)), *case) for n, case in enumerate(cases)]
    return [answer.saved_epochs(folder) for folder in folders]


def prune(answer, where, cases):
    home, found = opened(where), {}
    for earlier, later, strangers, k in cases:
        # Where the later ones are as many as are to stay, the file system's clock has moved on between the two.
        pause, epochs = 0.012 * (len(later) == k), [*earlier, *later]
        folder = scattered(os.path.join(home, str(k)), earlier, later, strangers, pause)
        answer.keep_last(folder, k)
        left = set(os.listdir(folder))
        found[f"of {sorted(epochs)} with k = {k}"] = {
            "checkpoints left": [epoch for epoch in sorted(epochs) if f"epoch_{epoch}.pt" in left],
            "other files left": [name for name in strangers if name in left],
        }
    return found


# --------------------------------------------------------------------------------------------- the training


class Training:
    """A net with dropout, Adam and StepLR, shuffled batches, and a record of each epoch."""

    def __init__(self, folder, inputs, every, cut=None):
        self.folder, self.inputs, self.cut = folder, inputs, cut
        self.net = nn.Sequential(linear(inputs), nn.Dropout(0.3))
        self.optimizer, self.scheduler = adam(self.net, every)
        self.epochs, self.rates, self.there = [], [], []

    def train_epoch(self, epoch):
        if len(self.epochs) > 20:
            raise RuntimeError("many more epochs were trained than were asked for")
        self.epochs.append(epoch)
        self.rates.append(rate(self.optimizer))
        self.there.append(self.checkpoints())
        total, rows = 0.0, self.inputs.shape[0]
        for part in torch.randperm(rows).split(3):
            total += step(self.net, self.optimizer, self.inputs[part.to(self.inputs.device)]) * len(part)
            if epoch == self.cut:
                raise PowerCut
        return total / rows

    def run(self, answer, epochs, keep):
        """Let the learner's function train; returns the record."""
        losses = "cut short"
        with contextlib.suppress(PowerCut):
            losses = answer.train_with_checkpoints(
                self.folder, self.net, self.optimizer, self.scheduler, self.train_epoch, epochs, keep
            )
        return {
            "epochs run": self.epochs,
            "learning rates": self.rates,
            "losses": losses,
            "weights": copied(self.net),
            "next learning rate": rate(self.optimizer),
            "checkpoints at the start of each epoch": self.there,
            "checkpoints at the end": self.checkpoints(),
        }

    def checkpoints(self):
        if not os.path.isdir(self.folder):
            return []
        found = (re.fullmatch(r"epoch_(\d+)\.pt", name) for name in os.listdir(self.folder))
        return sorted(int(match[1]) for match in found if match)


def train(answer, where, name, epochs, keep, every, inputs, cut=None):
    """Train in the folder `name`, which need not be there yet; cut short in epoch `cut`."""
    return Training(os.path.join(opened(where), name), inputs, every, cut).run(answer, epochs, keep)


def train_twice(answer, where, numbers, epochs, keep, every, inputs):
    """Train on in a folder of checkpoints with these numbers, and once more when all is done."""
    folder = opened(where)
    earlier = Training(folder, inputs, every)
    for number in range(max(numbers) + 1):
        earlier.optimizer.step()
        earlier.scheduler.step()
        if number in numbers:
            step(earlier.net, earlier.optimizer, inputs)
            path = os.path.join(folder, f"epoch_{number}.pt")
            answer.save_checkpoint(path, earlier.net, earlier.optimizer, earlier.scheduler, number)
    first = Training(folder, inputs, every).run(answer, epochs, keep)
    again = Training(folder, inputs, every).run(answer, epochs, keep)
    return {"first call": first, "second call": again}
