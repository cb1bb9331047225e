"""What runs beside the learner's code: tiny nets, trainings that are cut short, and recorders.

Each scene is given its folder in a list and takes it out, so that no reply holds a path of the machine.
"""

import contextlib
import errno
import os
import re
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

ADAM, MOMENTUM = "Adam", "momentum"


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


def filled(net, values):
    """`net` with its parameters set to `values`, on their device."""
    net.to(values[0].device)
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), values, strict=True):
            parameter.copy_(value)
    return net


def linear(inputs, targets):
    return nn.Linear(inputs.shape[1], targets.shape[1]).to(inputs.device)


def made(net, kind=MOMENTUM, lr=0.05, every=100, gamma=0.5):
    """An optimizer and a scheduler for `net`."""
    if kind == ADAM:
        optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    return optimizer, torch.optim.lr_scheduler.StepLR(optimizer, every, gamma)


def step(net, optimizer, inputs, targets):
    optimizer.zero_grad()
    loss = F.mse_loss(net(inputs), targets)
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


# --------------------------------------------------------------------- what comes back in a new process


def norm_net(inputs, targets):
    width = 4
    return nn.Sequential(
        nn.Linear(inputs.shape[1], width), nn.BatchNorm1d(width), nn.Tanh(), nn.Linear(width, targets.shape[1])
    ).to(inputs.device)


def save_weights(answer, where, name, epoch, inputs, targets):
    """Train a little, save, and train on: what is in the file is the state at the save."""
    path = os.path.join(opened(where), name)
    net = norm_net(inputs, targets)
    optimizer, scheduler = made(net)
    for _ in range(2):
        step(net, optimizer, inputs, targets)
    answer.save_checkpoint(path, net, optimizer, scheduler, epoch)
    at_save = copied(net)
    for _ in range(2):
        step(net, optimizer, inputs, targets)
    return {"the file is there": os.path.isfile(path), "weights at the save": at_save}


def load_weights(answer, where, name, inputs, targets):
    path = os.path.join(opened(where), name)
    net = norm_net(inputs, targets)
    answer.load_checkpoint(path, net, *made(net))
    return dict(zip(net.state_dict(), copied(net), strict=True))


def next_epoch(answer, where, epoch, inputs, targets):
    path = os.path.join(opened(where), f"epoch_{epoch}.pt")
    net = linear(inputs, targets)
    answer.save_checkpoint(path, net, *made(net), epoch)
    net = linear(inputs, targets)
    return answer.load_checkpoint(path, net, *made(net))


def steps_before(answer, where, kind, count, values, inputs, targets):
    """`count` steps, a checkpoint, and `count` steps more without a stop."""
    path = os.path.join(opened(where), f"{kind}.pt")
    net = filled(linear(inputs, targets), values)
    optimizer, scheduler = made(net, kind)
    for _ in range(count):
        step(net, optimizer, inputs, targets)
    answer.save_checkpoint(path, net, optimizer, scheduler, count - 1)
    losses = [step(net, optimizer, inputs, targets) for _ in range(count)]
    return {"losses": losses, "weights": copied(net)}


def steps_after(answer, where, kind, count, inputs, targets):
    """The second `count` steps, from the checkpoint."""
    path = os.path.join(opened(where), f"{kind}.pt")
    net = linear(inputs, targets)
    optimizer, scheduler = made(net, kind)
    answer.load_checkpoint(path, net, optimizer, scheduler)
    losses = [step(net, optimizer, inputs, targets) for _ in range(count)]
    return {"losses": losses, "weights": copied(net)}


def rates(optimizer, scheduler, net, inputs, targets, count):
    """The learning rate of each of the next `count` epochs."""
    trace = []
    for _ in range(count):
        trace.append(rate(optimizer))
        step(net, optimizer, inputs, targets)
        scheduler.step()
    return trace


def scheduled(inputs, targets, kind, lr, every, gamma):
    net = linear(inputs, targets)
    optimizer, scheduler = made(net, lr=lr, every=every, gamma=gamma)
    if kind == "cosine":
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4 * every)
    return net, optimizer, scheduler


def rates_before(answer, where, kind, cut, lr, every, gamma, inputs, targets):
    path = os.path.join(opened(where), f"{kind}.pt")
    net, optimizer, scheduler = scheduled(inputs, targets, kind, lr, every, gamma)
    first = rates(optimizer, scheduler, net, inputs, targets, cut)
    answer.save_checkpoint(path, net, optimizer, scheduler, cut - 1)
    return {"learning rates": first + rates(optimizer, scheduler, net, inputs, targets, 6)}


def rates_after(answer, where, kind, lr, every, gamma, inputs, targets):
    path = os.path.join(opened(where), f"{kind}.pt")
    net, optimizer, scheduler = scheduled(inputs, targets, kind, lr, every, gamma)
    answer.load_checkpoint(path, net, optimizer, scheduler)
    return {"learning rates": rates(optimizer, scheduler, net, inputs, targets, 6)}


def noise(net, ones):
    """What chance gives next: an order to shuffle by, and what dropout lets through."""
    return {
        "shuffled order": torch.randperm(12).tolist(),
        "what dropout lets through": net[1](ones),
        "normal numbers": torch.randn(3),
    }


def noise_before(answer, where, burnt, ones):
    path = os.path.join(opened(where), "noise.pt")
    net = nn.Sequential(nn.Linear(ones.shape[1], 2), nn.Dropout(0.5)).to(ones.device)
    torch.rand(burnt)
    answer.save_checkpoint(path, net, *made(net), 0)
    return noise(net, ones)


def noise_after(answer, where, ones):
    path = os.path.join(opened(where), "noise.pt")
    net = nn.Sequential(nn.Linear(ones.shape[1], 2), nn.Dropout(0.5)).to(ones.device)
    answer.load_checkpoint(path, net, *made(net))
    return noise(net, ones)


# --------------------------------------------------------------------------------------- what is in the file


def open_plainly(answer, where, epoch, inputs, targets):
    """Whether the file opens as plain data; if not, where the first thing comes from that stops it."""
    path = os.path.join(opened(where), "plain.pt")
    net = Shelf(inputs, targets)
    optimizer, scheduler = made(net, ADAM)
    step(net, optimizer, inputs, targets)
    answer.save_checkpoint(path, net, optimizer, scheduler, epoch)
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a pickle that is no checkpoint raises whatever it likes
        found = re.search(r"GLOBAL (\w+)", str(error))
        return {"opens": False, "holds something of": found[1] if found else "another kind"}
    return {"opens": True, "holds something of": ""}


class Shelf(nn.Module):
    """A model with a class of its own, as learners' models have."""

    def __init__(self, inputs, targets):
        super().__init__()
        self.layer = linear(inputs, targets)

    def forward(self, inputs):
        return self.layer(inputs)


def load_a_strangers(answer, where, inputs, targets):
    """Let load_checkpoint open a file that makes a folder when it is read without care."""
    folder = opened(where)
    path, trap = os.path.join(folder, "stranger.pt"), os.path.join(folder, "made_by_the_file")
    net = linear(inputs, targets)
    optimizer, scheduler = made(net)
    torch.save({"model": net.state_dict(), "epoch": 3, "note": MakesFolder(trap)}, path)
    attempt(lambda: answer.load_checkpoint(path, net, optimizer, scheduler))
    return {"the file's code ran": os.path.isdir(trap)}


def as_from_a_missing_gpu(path):
    """Write the file again, with a note that its tensors lay on a GPU which this machine does not have."""
    content = torch.load(path, map_location="cpu", weights_only=False)
    place, real = f"cuda:{torch.cuda.device_count()}", torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: place
    try:
        torch.save(content, path)
    finally:
        torch.serialization.location_tag = real


def move_devices(answer, where, inputs, targets):
    path = os.path.join(opened(where), "gpu.pt")
    net = linear(inputs, targets)
    optimizer, scheduler = made(net, ADAM)
    step(net, optimizer, inputs, targets)
    answer.save_checkpoint(path, net, optimizer, scheduler, 0)
    as_from_a_missing_gpu(path)
    other = linear(inputs, targets)
    optimizer, scheduler = made(other, ADAM)
    answer.load_checkpoint(path, other, optimizer, scheduler)
    return {"weights": copied(other)}


def load_a_misfit(answer, where, names, others, inputs, targets):
    """Save a net and load it into one of the same shapes whose layers have other names."""
    path = os.path.join(opened(where), "misfit.pt")

    def net(parts):
        made_net = nn.Sequential()
        made_net.add_module(parts[0], nn.Linear(inputs.shape[1], 4))
        made_net.add_module(parts[1], nn.Linear(4, targets.shape[1]))
        return made_net.to(inputs.device)

    saved, other = net(names), net(others)
    answer.save_checkpoint(path, saved, *made(saved), 0)
    optimizer, scheduler = made(other)
    return {"refused": bool(attempt(lambda: answer.load_checkpoint(path, other, optimizer, scheduler)))}


# --------------------------------------------------------------------------------------- how it is written


def fail_midway(answer, where, epoch, values, later, inputs, targets):
    """A good save, and then one to the same name for which the disk has no room."""
    path = os.path.join(opened(where), "latest.pt")
    net = filled(linear(inputs, targets), values)
    optimizer, scheduler = made(net)
    answer.save_checkpoint(path, net, optimizer, scheduler, epoch)
    filled(net, later)
    net.register_buffer("extra", torch.zeros(2).as_subclass(Unwritable))
    error = attempt(lambda: answer.save_checkpoint(path, net, optimizer, scheduler, epoch + 1))
    return {"the error reached the caller": bool(error)}


def after_the_failure(answer, where, inputs, targets):
    path = os.path.join(opened(where), "latest.pt")
    net = linear(inputs, targets)
    optimizer, scheduler = made(net)
    if attempt(lambda: answer.load_checkpoint(path, net, optimizer, scheduler)):
        return {"loads": False}
    return {"loads": True, "weights": copied(net)}


@contextlib.contextmanager
def watched(path):
    """Look at `path` at every call and return of the code inside: what another program could see there."""
    seen = []

    def look(*_):
        try:
            found = os.stat(path)
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            state = None
        if not seen or seen[-1][0] != state:
            seen.append((state, len(os.listdir(os.path.dirname(path)))))

    look()
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(before)
        look()


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


def watch_saves(answer, where, inputs, targets):
    """What stands under the final name during a first save and during one over it."""
    folder = opened(where)
    path = os.path.join(folder, "latest.pt")
    net = linear(inputs, targets)
    optimizer, scheduler = made(net)
    with watched(path) as first:
        answer.save_checkpoint(path, net, optimizer, scheduler, 0)
    step(net, optimizer, inputs, targets)
    with watched(path) as second:
        answer.save_checkpoint(path, net, optimizer, scheduler, 1)
    return {"first": told(first), "second": told(second), "left": sorted(os.listdir(folder))}


# ----------------------------------------------------------------------------------------------- the folder


def scattered(folder, earlier, later, strangers, pause=0.0):
    """Checkpoints by number (empty files, written in two groups), and files that are none."""
    for epoch in earlier:
        touch(folder, f"epoch_{epoch}.pt")
    time.sleep(pause)
    for epoch in later:
        touch(folder, f"epoch_{epoch}.pt")
    for name in strangers:
        touch(folder, name)


def touch(folder, name):
    with open(os.path.join(folder, name), "wb"):
        pass


def list_saved(answer, where, earlier, later, strangers):
    folder = opened(where)
    scattered(folder, earlier, later, strangers)
    return answer.saved_epochs(folder)


def prune(answer, where, earlier, later, strangers, k):
    folder = opened(where)
    # Where the later ones are as many as are to stay, the file system's clock has moved on between the two.
    scattered(folder, earlier, later, strangers, pause=0.012 * (len(later) == k))
    answer.keep_last(folder, k)
    left = set(os.listdir(folder))
    return {
        "checkpoints left": [epoch for epoch in sorted([*earlier, *later]) if f"epoch_{epoch}.pt" in left],
        "other files left": [name for name in strangers if name in left],
    }


# --------------------------------------------------------------------------------------------- the training


class Training:
    """A net with dropout, Adam and StepLR, shuffled batches, and a record of each epoch."""

    def __init__(self, folder, values, inputs, targets, every, cut=None):
        self.folder, self.inputs, self.targets, self.cut = folder, inputs, targets, cut
        self.net = nn.Sequential(nn.Linear(inputs.shape[1], 4), nn.Dropout(0.3), nn.Linear(4, targets.shape[1]))
        self.net.to(inputs.device)
        if values:
            filled(self.net, values)
        self.optimizer, self.scheduler = made(self.net, ADAM, every=every)
        self.epochs, self.rates, self.there = [], [], []

    def train_epoch(self, epoch):
        if len(self.epochs) > 20:
            raise RuntimeError("many more epochs were trained than were asked for")
        self.epochs.append(epoch)
        self.rates.append(rate(self.optimizer))
        self.there.append(self.checkpoints())
        total, rows = 0.0, self.inputs.shape[0]
        for part in torch.randperm(rows).split(4):
            picked = part.to(self.inputs.device)
            total += step(self.net, self.optimizer, self.inputs[picked], self.targets[picked]) * len(part)
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


def train(answer, where, name, epochs, keep, every, values, inputs, targets, cut=None):
    """Train in the folder `name`, which need not be there yet; cut short in epoch `cut`."""
    folder = os.path.join(opened(where), name)
    return Training(folder, values, inputs, targets, every, cut).run(answer, epochs, keep)


def train_twice(answer, where, numbers, epochs, keep, every, inputs, targets):
    """Train on in a folder of checkpoints with these numbers, and once more when all is done."""
    folder = opened(where)
    for number in numbers:
        earlier = Training(folder, [], inputs, targets, every)
        for _ in range(number + 1):
            earlier.optimizer.step()
            earlier.scheduler.step()
        path = os.path.join(folder, f"epoch_{number}.pt")
        answer.save_checkpoint(path, earlier.net, earlier.optimizer, earlier.scheduler, number)
    first = Training(folder, [], inputs, targets, every).run(answer, epochs, keep)
    again = Training(folder, [], inputs, targets, every).run(answer, epochs, keep)
    return {"first call": first, "second call": again}
