"""What runs beside the learner's code: tiny nets, trainings that are cut short, and recorders.

Each scene is given its folder in a list and takes it out, so that no reply holds a path of the machine. Everything
is small, as reading a checkpoint takes longer the more there is in it: a net is a single weight where that will do,
its gradient is worked out by hand, and the same objects serve for saving and for loading where what they hold is not
in question.
"""

import builtins
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


def linear(inputs, width=2, *, bias=False):
    return nn.Linear(inputs.shape[1], width, bias, device=inputs.device)


def sgd(net, lr=0.05, every=100, gamma=0.5):
    """An optimizer and a scheduler for `net`."""
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, foreach=False)
    return optimizer, StepLR(optimizer, every, gamma)


def adam(net):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05, foreach=False)
    return optimizer, StepLR(optimizer, 100, 0.5)


def step(net, optimizer, inputs):
    """One step that brings each row of the weight nearer to the mean of the inputs; answers with the loss before it."""
    gap = net.weight.detach() - inputs.mean(0)
    net.weight.grad = gap * (2 / gap.numel())
    optimizer.step()
    return gap.square().mean().item()


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


def weights_back(answer, where, epoch, inputs):
    """Save a net, change it, carry the file elsewhere, and load it into a new net."""
    folder, width = opened(where), len(inputs)
    path, carried = os.path.join(folder, "0.pt"), os.path.join(folder, "carried", "0.pt")

    def parts():
        net = nn.Sequential(linear(inputs, width, bias=True), nn.BatchNorm1d(width, device=inputs.device))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, foreach=False)
        return net, optimizer, CosineAnnealingLR(optimizer, T_max=12)

    saved, other = parts(), parts()
    norm = saved[0][1]
    for row, value in zip(inputs.T.exp(), (norm.weight, norm.bias, norm.running_mean, norm.running_var), strict=True):
        value.data.copy_(row)
    norm.num_batches_tracked.fill_(epoch)
    answer.save_checkpoint(path, *saved, epoch)
    for value in saved[0].state_dict().values():
        value.zero_()
    os.mkdir(os.path.dirname(carried))
    os.rename(path, carried)
    answer.load_checkpoint(carried, *other)
    return dict(zip(other[0].state_dict(), copied(other[0]), strict=True))


def next_epoch(answer, where, epochs, inputs):
    folder, net = opened(where), linear(inputs)
    parts = net, *sgd(net)
    paths = [os.path.join(folder, f"epoch_{epoch}.pt") for epoch in epochs]
    for path, epoch in zip(paths, epochs, strict=True):
        answer.save_checkpoint(path, *parts, epoch)
    return {f"after epoch {epoch}": answer.load_checkpoint(path, *parts)
            for path, epoch in zip(paths, epochs, strict=True)}  # fmt: skip


def steps(answer, where, inputs):
    """2 steps of Adam, a checkpoint, and 2 steps more with new objects into which it was loaded."""
    path = os.path.join(opened(where), "adam.pt")
    # Both nets are made first, as what they start from depends on the generator, which the answer may put back.
    first, second = linear(inputs), linear(inputs)
    optimizer, scheduler = adam(first)
    step(first, optimizer, inputs)
    step(first, optimizer, inputs)
    answer.save_checkpoint(path, first, optimizer, scheduler, 1)
    optimizer, scheduler = adam(second)
    answer.load_checkpoint(path, second, optimizer, scheduler)
    return {"losses": [step(second, optimizer, inputs) for _ in range(2)], "weights": copied(second)}


def rates(optimizer, scheduler, count):
    """The learning rate of each of the next `count` epochs."""
    trace = []
    optimizer.step()  # a scheduler warns if none came before it
    for _ in range(count):
        trace.append(rate(optimizer))
        scheduler.step()
    return trace


def rates_back(answer, where, cut, lr, every, gamma, inputs):
    """The learning rates of the epochs after a checkpoint that was written after `cut` epochs."""
    path, net = os.path.join(opened(where), "rates.pt"), linear(inputs)
    optimizer, scheduler = sgd(net, lr, every, gamma)
    rates(optimizer, scheduler, cut)
    answer.save_checkpoint(path, net, optimizer, scheduler, cut - 1)
    optimizer, scheduler = sgd(net, lr, every, gamma)
    answer.load_checkpoint(path, net, optimizer, scheduler)
    return {f"from epoch {cut} on": rates(optimizer, scheduler, 4)}


def noise(net, ones):
    """What chance gives next: an order to shuffle by, and what dropout lets through."""
    return {
        "shuffled order": torch.randperm(12).tolist(),
        "what dropout lets through": net[1](ones),
        "normal numbers": torch.randn(3),
    }


def noise_back(answer, where, burnt, ones):
    """The numbers after a save, and those after loading it, by when chance has gone on."""
    path, net = os.path.join(opened(where), "noise.pt"), nn.Sequential(linear(ones), nn.Dropout(0.5))
    parts = net, *sgd(net)
    torch.rand(burnt)
    answer.save_checkpoint(path, *parts, 0)
    found = noise(net, ones)
    answer.load_checkpoint(path, *parts)
    return {"after the save": found, "after loading": noise(net, ones)}


# --------------------------------------------------------------------------------------- what is in the file


class Shelf(nn.Linear):
    """A model with a class of its own, as learners' models have."""


def plain(answer, where, epoch, inputs):
    """Whether the file opens as plain data, and if not, what stops it; then let load_checkpoint open a file that
    makes a folder when it is read without care.
    """
    folder, net = opened(where), Shelf(inputs.shape[1], 2, False, device=inputs.device)
    path, stranger, trap = (os.path.join(folder, name) for name in ("plain.pt", "stranger.pt", "made_by_the_file"))
    optimizer, scheduler = sgd(net)
    step(net, optimizer, inputs)
    answer.save_checkpoint(path, net, optimizer, scheduler, epoch)
    holds = ""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a pickle that is no checkpoint raises whatever it likes
        found = re.search(r"GLOBAL (\w+)", str(error))
        holds = found[1] if found else "another kind"
    torch.save({"epoch": 3, "note": MakesFolder(trap)}, stranger)
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
    answer.save_checkpoint(path, net, *sgd(net), 0)
    as_from_a_missing_gpu(path)
    other = linear(inputs)
    answer.load_checkpoint(path, other, *sgd(other))
    return {"weights": copied(other)}


def misfit(answer, where, names, others, inputs):
    """Save a net, and load it when its layers have other names and the same shapes: was that refused?"""
    path, net = os.path.join(opened(where), "misfit.pt"), nn.Sequential()
    layers = linear(inputs), linear(inputs)

    def rename(names):
        net._modules.clear()
        for name, layer in zip(names, layers, strict=True):
            net.add_module(name, layer)

    rename(names)
    parts = net, *sgd(net)
    answer.save_checkpoint(path, *parts, 0)
    rename(others)
    return bool(attempt(lambda: answer.load_checkpoint(path, *parts)))


# --------------------------------------------------------------------------------------- how it is written


def fail_midway(answer, where, epoch, inputs):
    """A good save, one to the same name for which the disk has no room, and what is under that name then."""
    path, net = os.path.join(opened(where), "latest.pt"), linear(inputs)
    parts = net, *sgd(net)
    answer.save_checkpoint(path, *parts, epoch)
    net.weight.data.add_(1)
    net.register_buffer("extra", torch.zeros(2).as_subclass(Unwritable))
    error = attempt(lambda: answer.save_checkpoint(path, *parts, epoch + 1))
    del net.extra
    unread = attempt(lambda: answer.load_checkpoint(path, *parts))
    return {
        "the error reached the caller": bool(error),
        "loads": not unread,
        "weights": [] if unread else copied(net),
    }


PLAIN = frozenset({dict, list, tuple, set, str, bytes})


@contextlib.contextmanager
def watched(path):
    """Look at `path` whenever a function of C inside has ended, as only they touch files: what another program could
    see there. Those that every line calls, len and dict.get and the like, are passed over.
    """
    seen = []

    def look(_, event, function):
        if event != "c_return":
            return
        home = getattr(function, "__self__", None)
        if home is builtins or type(home) in PLAIN:
            return
        try:
            found = os.stat(path)
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            state = None
        if not seen or seen[-1][0] != state:
            seen.append((state, len(os.listdir(os.path.dirname(path)))))

    look(None, "c_return", None)
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(before)
        look(None, "c_return", None)


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
    path, parts = os.path.join(folder, "latest.pt"), (net, *sgd(net))
    answer.save_checkpoint(path, *parts, 0)
    with watched(path) as seen:
        answer.save_checkpoint(path, *parts, 1)
    return {"seen": told(seen), "left": sorted(os.listdir(folder))}


# ----------------------------------------------------------------------------------------------- the folder


def scattered(folder, earlier, later, strangers, *, apart=False):
    """Checkpoints by number (empty files, written in two groups), and files that are none.

    apart: the clock of the file system moves on between the two groups.
    """
    os.mkdir(folder)
    times = [touch(folder, f"epoch_{epoch}.pt") for epoch in earlier]
    for _ in range(50 if apart else 0):
        now = touch(folder, "now")
        os.remove(os.path.join(folder, "now"))
        if now != times[-1]:
            break
        time.sleep(0.001)
    for name in (*(f"epoch_{epoch}.pt" for epoch in later), *strangers):
        touch(folder, name)
    return folder


def touch(folder, name):
    """Write an empty file; answers with the time that it bears."""
    path = os.path.join(folder, name)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    return os.stat(path).st_mtime_ns


def list_saved(answer, where, cases):
    home = opened(where)
    folders = [scattered(os.path.join(home, str(n)), *case) for n, case in enumerate(cases)]
    return [answer.saved_epochs(folder) for folder in folders]


def prune(answer, where, cases):
    home, found = opened(where), {}
    for earlier, later, strangers, k in cases:
        # Where the later ones are as many as are to stay, they are the later ones by the clock too.
        folder = scattered(os.path.join(home, str(k)), earlier, later, strangers, apart=len(later) == k)
        epochs = [*earlier, *later]
        answer.keep_last(folder, k)
        left = set(os.listdir(folder))
        found[f"of {sorted(epochs)} with k = {k}"] = {
            "checkpoints left": [epoch for epoch in sorted(epochs) if f"epoch_{epoch}.pt" in left],
            "other files left": [name for name in strangers if name in left],
        }
    return found


# --------------------------------------------------------------------------------------------- the training


class Training:
    """A weight, momentum and StepLR, shuffled batches, and a record of each epoch."""

    def __init__(self, folder, inputs, every, cut=None):
        self.folder, self.inputs, self.cut = folder, inputs, cut
        self.net = linear(inputs)
        self.optimizer, self.scheduler = sgd(self.net, every=every)
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
    earlier.optimizer.step()
    for number in range(max(numbers) + 1):
        earlier.scheduler.step()
        if number in numbers:
            step(earlier.net, earlier.optimizer, inputs)
            path = os.path.join(folder, f"epoch_{number}.pt")
            answer.save_checkpoint(path, earlier.net, earlier.optimizer, earlier.scheduler, number)
    first = Training(folder, inputs, every).run(answer, epochs, keep)
    return {"first call": first, "second call": earlier.run(answer, epochs, keep)}
