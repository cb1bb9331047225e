"""What watches the learner's loop: a model, an optimizer and loaders that write down what is done with them.

Only what matters is written down, so that every right style leaves the same trace: not that `zero_grad` was
called, but whether there are gradients at `step`, and whether more than one backward went into them.

The request's seed decides the initial weights; after that no random number is drawn. `data` is (x, y, sizes):
the samples of all batches, and how many belong to each batch. Everything is small and made by hand, since a
step here is nearly all overhead: two parameters, one vector for the state, hooks instead of wrappers.
"""

import gc
import weakref

import torch
from torch import nn
from torch.nn import functional as F


class Recorder:
    """What happened, in order, and the model's state after each step."""

    def __init__(self, model, **data):
        self.model = model
        self.events = []
        self.states = []
        self.fetched = 0
        self.most_graphs = 0
        self._graphs = []
        self._old_gradients = []
        self._batches = [
            (f"{name} batch {i}", part)
            for name, (x, _, sizes) in data.items() for i, part in enumerate(x.clone().split(sizes))
        ]  # fmt: skip
        model.recorder = self

    def __deepcopy__(self, memo):
        return self

    def count_graphs(self):
        if self._living() > 2:  # the last batch's graph may live on in a variable; more than that is a pile
            gc.collect()
        self.most_graphs = max(self.most_graphs, self._living())

    def _living(self):
        self._graphs = [graph for graph in self._graphs if graph() is not None]
        return len(self._graphs)

    def forward(self, x, output):
        name = next((n for n, known in self._batches if x.shape == known.shape and torch.equal(x, known)), "other data")
        model = self.model
        mixed = model.training is not model.drop.training
        mode = "mixed modes" if mixed else "training mode" if model.training else "evaluation mode"
        recording = output.requires_grad
        self.events.append(f"forward on {name} in {mode}, recording {'a' if recording else 'no'} graph")
        if recording:
            backward = Backward(self)
            output.register_hook(backward)
            self._graphs.append(weakref.ref(backward))

    def backward(self):
        self.events.append("backward")
        self._old_gradients = self.gradients()

    def before_step(self, optimizer, args, kwargs):
        """A hook of the optimizer. A closure is run here, so that its gradients are seen."""
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
            args, kwargs = args[:1], {"closure": lambda: loss}
        gradients = self.gradients()
        # backward adds in place: a tensor that was there before it holds a sum now.
        summed = any(new is old for new in gradients for old in self._old_gradients)
        self._old_gradients = []
        self.events.append(
            "step without any gradient" if not gradients
            else "step with the gradients of more than one backward" if summed
            else "step"
        )  # fmt: skip
        return args, kwargs

    def after_step(self, optimizer, args, kwargs):
        self.count_graphs()
        self.states.append(state_of(self.model))

    def gradients(self):
        """The gradients that are not all zero."""
        return [p.grad for p in self.model.params if p.grad is not None and p.grad.any()]

    def trace(self, **more):
        return {"events": self.events, "states": torch.stack(self.states) if self.states else None, **more}


class Backward:
    """Sees backward pass by at the model's output, and lives as long as the graph whose hook it is."""

    def __init__(self, recorder):
        self.recorder = recorder

    def __call__(self, grad):
        self.recorder.backward()


def state_of(model):
    """All parameters and running statistics as one vector."""
    return torch.cat([t.detach().reshape(-1) for t in (*model.params, *model.stats)])


class Drop(nn.Module):
    """Dropout of every fifth value by a fixed sequence of masks, so that no random generator has a say. Does nothing
    in eval mode.
    """

    calls = 0

    def __init__(self, like):
        super().__init__()
        self.masks = like.new_tensor([0.0, 1.25, 1.25, 1.25, 1.25] * 20)

    def forward(self, x):
        if not self.training:
            return x
        self.calls += 1
        start = -self.calls % 5
        return x * self.masks[start : start + x.numel()].view(x.shape)


class Model(nn.Module):
    """The model that the learner trains. It writes in `forward`, so that `model.forward(x)` is seen too.

    "classify": x (N, C, F), with BatchNorm over the C channels. "label each place": x (N, L, F), prediction
    (N, outputs, L). Else x (N, F).
    """

    recorder = None

    def __init__(self, problem, outputs, x):
        super().__init__()
        self.problem = problem
        inputs = x.shape[-1]
        self.stats = ()
        if problem == "classify":
            channels = x.shape[1]
            inputs *= channels
            self.register_buffer("running_mean", x.new_zeros(channels))
            self.register_buffer("running_var", x.new_ones(channels))
            self.stats = (self.running_mean, self.running_var)
        self.weight = nn.Parameter(x.new_empty(outputs, inputs).uniform_(-0.6, 0.6))
        self.bias = nn.Parameter(x.new_empty(outputs).uniform_(-0.6, 0.6))
        self.params = (self.weight, self.bias)
        self.drop = Drop(x)

    def forward(self, x):
        inner = x
        if self.stats:
            inner = F.batch_norm(inner, self.running_mean, self.running_var, training=self.training)
        inner = self.drop(inner)
        if self.problem == "classify":
            inner = inner.flatten(1)
        output = F.linear(inner, self.weight, self.bias)
        if self.problem == "label each place":
            output = output.mT
        if self.recorder is not None:
            self.recorder.forward(x, output)
        return output


def cubic_loss(input, target):
    return ((input - target).abs() ** 3).mean()


LOSSES = {
    "classify": nn.CrossEntropyLoss(),
    "label each place": F.cross_entropy,
    "regress": nn.MSELoss(),
    "own loss": cubic_loss,
}


def make_optimizer(options, model):
    """options: name, lr, bias_lr, and what else the optimizer takes."""
    options = dict(options)
    make = getattr(torch.optim, options.pop("name"))
    groups = [{"params": [model.weight]}, {"params": [model.bias], "lr": options.pop("bias_lr")}]
    optimizer = make(groups, foreach=False, **options)  # one tensor after another: faster for a few small ones
    if model.recorder is not None:
        optimizer.register_step_pre_hook(model.recorder.before_step)
        optimizer.register_step_post_hook(model.recorder.after_step)
    return optimizer


def cut(data):
    """The batches (x, y): views, so that a batch changed in place is seen in the caller's data."""
    x, y, sizes = data
    return list(zip(x.split(sizes), y.split(sizes), strict=True))


class Batches:
    """An iterable of batches and nothing more: no length, no dataset."""

    def __init__(self, data, recorder=None):
        self._batches, self._recorder = cut(data), recorder

    def __iter__(self):
        for batch in self._batches:
            if self._recorder is not None:
                self._recorder.fetched += 1
            yield batch


class StreamedBatches(Batches):
    """With a dataset, as the DataLoader of a stream has one. As with a sampler, some of its rows are in no batch."""

    def __init__(self, data, recorder=None):
        super().__init__(data, recorder)
        self.dataset = range(len(data[0]) + 2)


class SizedBatches(StreamedBatches):
    """With a length as well, and batches that are lists: as most DataLoaders."""

    def __init__(self, data, recorder=None):
        super().__init__(data, recorder)
        self._batches = [list(batch) for batch in self._batches]

    def __len__(self):
        return len(self._batches)


# ---------------------------------------------------------------------------------------------- the scenes


def step_losses(answer, outputs, batches, options):
    """For each (x, y) the value of train_step on a new model, and the mode that it leaves. The last one arrives in
    evaluation mode.
    """
    losses, modes = [], []
    for number, (x, y) in enumerate(batches, 1):
        model = Model("classify", outputs, x).train(number < len(batches))
        losses.append(answer.train_step(model, x, y, LOSSES["classify"], make_optimizer(options, model)))
        modes.append(model.training)
    return {"losses": losses, "modes": modes}


def several_steps(answer, outputs, data, options):
    model = Model("classify", outputs, data[0])
    recorder = Recorder(model, training=data)
    optimizer = make_optimizer(options, model)
    for x, y in cut(data):
        answer.train_step(model, x, y, LOSSES["classify"], optimizer)
    return recorder.trace()


def epoch_loss(answer, outputs, data, options):
    model = Model("classify", outputs, data[0])
    return answer.train_one_epoch(model, StreamedBatches(data), LOSSES["classify"], make_optimizer(options, model))


def epoch_steps(answer, outputs, data, options):
    """An epoch begun in evaluation mode, then one begun in training mode."""
    model = Model("classify", outputs, data[0])
    recorder = Recorder(model, training=data)
    optimizer, loader = make_optimizer(options, model), SizedBatches(data, recorder)
    for training in (False, True):
        model.train(training)
        answer.train_one_epoch(model, loader, LOSSES["classify"], optimizer)
    return recorder.trace(fetched=recorder.fetched)


def epoch_memory(answer, outputs, data, options):
    model = Model("classify", outputs, data[0])
    recorder = Recorder(model, training=data)
    given = answer.train_one_epoch(model, SizedBatches(data), LOSSES["classify"], make_optimizer(options, model))
    return {"pile": recorder.most_graphs > 2, "kind": type(given).__name__}


def evaluation_loss(answer, outputs, data):
    return answer.evaluate(Model("classify", outputs, data[0]), StreamedBatches(data), LOSSES["classify"])


def evaluation(answer, outputs, data):
    """evaluate on a model that has gradients, in each mode, and what is left of it afterwards."""
    model = Model("classify", outputs, data[0])
    recorder = Recorder(model, validation=data)
    for parameter in model.params:
        parameter.grad = torch.randn_like(parameter)
    left = {}
    for training, mode in ((True, "training"), (False, "evaluation")):
        model.train(training)
        answer.evaluate(model, SizedBatches(data, recorder), LOSSES["classify"])
        left[mode] = model.training
        left[f"grad_enabled_{mode}"] = torch.is_grad_enabled()
    gradients = [p.grad for p in model.params]
    return recorder.trace(
        fetched=recorder.fetched,
        state=state_of(model),
        gradients=None if None in gradients else torch.cat([g.reshape(-1) for g in gradients]),
        **left,
    )


def fit_events(answer, outputs, train, val, options, epochs):
    """fit on a model that arrives in evaluation mode."""
    model = Model("classify", outputs, train[0]).eval()
    recorder = Recorder(model, training=train, validation=val)
    loaders = SizedBatches(train, recorder), SizedBatches(val, recorder)
    answer.fit(model, *loaders, LOSSES["classify"], make_optimizer(options, model), epochs)
    return recorder.trace(state=state_of(model))


def fit_histories(answer, outputs, train, val, options, counts):
    """The history of a new model for each number of epochs."""
    told = []
    for epochs in counts:
        model = Model("classify", outputs, train[0])
        recorder = Recorder(model, training=train, validation=val)
        optimizer = make_optimizer(options, model)
        history = answer.fit(model, Batches(train), Batches(val), LOSSES["classify"], optimizer, epochs)
        told.append({"history": history, "events": recorder.events})
    return told


def train_and_evaluate(answer, problems):
    """Some epochs and an evaluation for each problem. Whether the losses are floats is not this scene's question."""
    told = []
    for problem, epochs, outputs, train, val, options in problems:
        torch.set_grad_enabled(True)  # nor is what the evaluation before may have left off
        model = Model(problem, outputs, train[0])
        recorder = Recorder(model, training=train, validation=val)
        optimizer, loss_fn, loader = make_optimizer(options, model), LOSSES[problem], SizedBatches(train)
        losses = [plain_number(answer.train_one_epoch(model, loader, loss_fn, optimizer)) for _ in range(epochs)]
        val_loss = plain_number(answer.evaluate(model, SizedBatches(val), loss_fn))
        told.append({"state": state_of(model), "train_losses": losses, "val_loss": val_loss, "events": recorder.events})
    return told


def plain_number(value):
    return value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value
