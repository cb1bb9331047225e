"""What watches the learner's loop: a model, an optimizer and loaders that write down what is done with them.

Only what matters is written down, so that every right style leaves the same trace: not that `zero_grad` was
called, but whether there are gradients at `step`, and whether more than one backward went into them.

The request's seed decides the initial weights; after that no random number is drawn.
"""

import gc
import weakref

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Recorder:
    """What happened, in order, and the model's state after each step."""

    def __init__(self, **batches):
        self.events = []
        self.states = []
        self.fetched = 0
        self.graphs = []
        self.most_graphs = 0
        self._old_gradients = []
        self._batches = [
            (f"{name} batch {i}", x.clone()) for name, some in batches.items() for i, (x, _) in enumerate(some)
        ]

    def __deepcopy__(self, memo):
        return self

    def before_forward(self):
        if self._living() > 2:  # the last batch's graph may live on in a variable; more than that is a pile
            gc.collect()
        self.most_graphs = max(self.most_graphs, self._living())

    def _living(self):
        self.graphs = [graph for graph in self.graphs if graph() is not None]
        return len(self.graphs)

    def forward(self, model, x, output):
        name = next((n for n, known in self._batches if x.shape == known.shape and torch.equal(x, known)), "other data")
        flags = {module.training for module in model.modules()}
        mode = "mixed modes" if len(flags) > 1 else "training mode" if True in flags else "evaluation mode"
        graph = "recording a graph" if output.requires_grad else "recording no graph"
        self.events.append(f"forward on {name} in {mode}, {graph}")

    def backward(self, model):
        self.events.append("backward")
        self._old_gradients = gradients_of(model)

    def step(self, model):
        gradients = gradients_of(model)
        # backward adds in place: a tensor that was there before it holds a sum now.
        summed = any(new is old for new in gradients for old in self._old_gradients)
        self._old_gradients = []
        self.events.append(
            "step without any gradient" if not gradients
            else "step with the gradients of more than one backward" if summed
            else "step"
        )  # fmt: skip


def gradients_of(model):
    """The gradients that are not all zero."""
    return [p.grad for p in model.parameters() if p.grad is not None and bool(p.grad.any())]


def state_of(model):
    """All parameters and running statistics as one vector."""
    return torch.cat([t.detach().reshape(-1) for t in model.state_dict().values() if t.is_floating_point()])


class Graph:
    """Lives as long as the graph that holds it."""


class Mark(torch.autograd.Function):
    """The identity, at the end of the model: sees backward pass by."""

    @staticmethod
    def forward(ctx, output, graph, recorder, model):
        ctx.graph, ctx.recorder, ctx.model = graph, recorder, model
        return output.view_as(output)

    @staticmethod
    def backward(ctx, grad):
        ctx.recorder.backward(ctx.model)
        return grad, None, None, None


class Watched(nn.Module):
    """The model that the learner trains. It writes in `forward`, so that `model.forward(x)` is seen too."""

    def __init__(self, net, recorder):
        super().__init__()
        self.net = net
        self.recorder = recorder

    def forward(self, x):
        self.recorder.before_forward()
        graph = Graph()
        output = Mark.apply(self.net(x), graph, self.recorder, self)
        if output.requires_grad:
            self.recorder.graphs.append(weakref.ref(graph))
        self.recorder.forward(self, x, output)
        return output


class Drop(nn.Module):
    """Dropout by a fixed sequence of masks, so that no random generator has a say. Does nothing in eval mode."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        if not self.training:
            return x
        self.calls += 1
        place = torch.arange(x.numel(), device=x.device).reshape(x.shape)
        return x * ((7 * place + 3 * self.calls) % 5 != 0) / 0.8


def cubic_loss(input, target):
    return ((input - target).abs() ** 3).mean()


# ------------------------------------------------------------------------------------------ what is trained

LOSSES = {
    "classify": nn.CrossEntropyLoss,
    "label each place": nn.CrossEntropyLoss,
    "regress": nn.MSELoss,
    "yes or no": nn.BCEWithLogitsLoss,
    "own loss": lambda: cubic_loss,
}


def make_model(problem, outputs, x, recorder, training):
    """A new model for batches like x: (N, C, L) for the first two problems, (N, F) for the others."""
    width = 4
    if problem == "classify":
        flat = width * (x.shape[2] - 1)
        # No bias before BatchNorm: its gradient is nothing but rounding, which Adam would blow up.
        net = nn.Sequential(
            nn.Conv1d(x.shape[1], width, 2, bias=False), nn.BatchNorm1d(width), nn.Tanh(), nn.Flatten(), Drop(),
            nn.Linear(flat, outputs),
        )  # fmt: skip
    elif problem == "label each place":
        net = nn.Sequential(nn.Conv1d(x.shape[1], width, 1), nn.Tanh(), Drop(), nn.Conv1d(width, outputs, 1))
    else:
        net = nn.Sequential(nn.Linear(x.shape[1], width), nn.Tanh(), Drop(), nn.Linear(width, outputs))
    return Watched(net.to(x.device), recorder).train(training)


def make_optimizer(options, model, recorder):
    """options: name, lr, bias_lr, and what else the optimizer takes."""
    options = dict(options)
    base = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}[options.pop("name")]

    class WatchedOptimizer(base):
        def step(self, closure=None):
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            recorder.step(model)
            super().step()
            recorder.states.append(state_of(model))
            return loss

    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    bias_lr = options.pop("bias_lr", options["lr"])
    return WatchedOptimizer([{"params": weights}, {"params": others, "lr": bias_lr}], **options)


class Batches:
    """An iterable of batches and nothing more: no length, no dataset."""

    def __init__(self, batches, recorder):
        self._batches, self._recorder = batches, recorder

    def __iter__(self):
        for x, y in self._batches:
            self._recorder.fetched += 1
            yield x, y


class Loader(DataLoader):
    """The same batches from a DataLoader whose sampler leaves rows of the dataset out."""

    def __init__(self, batches, recorder):
        self.recorder = recorder
        spare_x, spare_y = batches[0]
        xs, ys = (
            torch.cat([part.detach() for part in parts]) for parts in zip(*batches, (spare_x, spare_y), strict=True)
        )
        rows, start = [], 0
        for x, _ in batches:
            rows.append(list(range(start, start + len(x))))
            start += len(x)
        super().__init__(TensorDataset(xs, ys), batch_sampler=rows)

    def __iter__(self):
        for batch in super().__iter__():
            self.recorder.fetched += 1
            yield batch


def make_loader(batches, recorder, plain):
    return Batches(batches, recorder) if plain else Loader(batches, recorder)


# ---------------------------------------------------------------------------------------------- the scenes


def one_step(answer, problem, outputs, x, y, options):
    """The value of train_step on a new model."""
    recorder = Recorder(training=[(x, y)])
    model = make_model(problem, outputs, x, recorder, training=True)
    return answer.train_step(model, x, y, LOSSES[problem](), make_optimizer(options, model, recorder))


def several_steps(answer, problem, outputs, batches, options):
    recorder = Recorder(training=batches)
    model = make_model(problem, outputs, batches[0][0], recorder, training=True)
    optimizer, loss_fn = make_optimizer(options, model, recorder), LOSSES[problem]()
    for x, y in batches:
        answer.train_step(model, x, y, loss_fn, optimizer)
    return {"events": recorder.events, "states": recorder.states}


def epoch_loss(answer, problem, outputs, batches, options, plain):
    recorder = Recorder(training=batches)
    model = make_model(problem, outputs, batches[0][0], recorder, training=True)
    optimizer = make_optimizer(options, model, recorder)
    return answer.train_one_epoch(model, make_loader(batches, recorder, plain), LOSSES[problem](), optimizer)


def epoch_steps(answer, problem, outputs, batches, options, training):
    """Two epochs, each begun in the given mode."""
    recorder = Recorder(training=batches)
    model = make_model(problem, outputs, batches[0][0], recorder, training)
    optimizer = make_optimizer(options, model, recorder)
    loader, loss_fn = make_loader(batches, recorder, plain=False), LOSSES[problem]()
    for _ in range(2):
        model.train(training)
        answer.train_one_epoch(model, loader, loss_fn, optimizer)
    return {"events": recorder.events, "states": recorder.states, "fetched": recorder.fetched}


def epoch_memory(answer, problem, outputs, batches, options):
    recorder = Recorder(training=batches)
    model = make_model(problem, outputs, batches[0][0], recorder, training=True)
    optimizer = make_optimizer(options, model, recorder)
    given = answer.train_one_epoch(model, make_loader(batches, recorder, plain=False), LOSSES[problem](), optimizer)
    return {"pile": recorder.most_graphs > 2, "kind": type(given).__name__}


def evaluation_loss(answer, problem, outputs, batches, plain):
    recorder = Recorder(validation=batches)
    model = make_model(problem, outputs, batches[0][0], recorder, training=True)
    return answer.evaluate(model, make_loader(batches, recorder, plain), LOSSES[problem]())


def evaluation(answer, problem, outputs, batches, training):
    """evaluate on a model that has gradients, and what is left of it afterwards."""
    recorder = Recorder(validation=batches)
    model = make_model(problem, outputs, batches[0][0], recorder, training)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    answer.evaluate(model, make_loader(batches, recorder, plain=False), LOSSES[problem]())
    gradients = [p.grad for p in model.parameters()]
    return {
        "events": recorder.events,
        "fetched": recorder.fetched,
        "state": state_of(model),
        "gradients": None if None in gradients else torch.cat([g.reshape(-1) for g in gradients]),
        "training": model.training,
        "grad_enabled": torch.is_grad_enabled(),
    }


def fit_events(answer, problem, outputs, train, val, options, epochs, training):
    recorder = Recorder(training=train, validation=val)
    model = make_model(problem, outputs, train[0][0], recorder, training)
    optimizer = make_optimizer(options, model, recorder)
    loaders = make_loader(train, recorder, plain=False), make_loader(val, recorder, plain=False)
    answer.fit(model, *loaders, LOSSES[problem](), optimizer, epochs)
    return {"events": recorder.events, "states": recorder.states, "state": state_of(model)}


def fit_history(answer, problem, outputs, train, val, options, epochs):
    recorder = Recorder(training=train, validation=val)
    model = make_model(problem, outputs, train[0][0], recorder, training=True)
    optimizer = make_optimizer(options, model, recorder)
    loaders = make_loader(train, recorder, plain=True), make_loader(val, recorder, plain=True)
    history = answer.fit(model, *loaders, LOSSES[problem](), optimizer, epochs)
    return {"history": history, "events": recorder.events}


def train_and_evaluate(answer, problem, outputs, train, val, options):
    """Two epochs and an evaluation. Whether the losses are floats is not this scene's question."""
    recorder = Recorder(training=train, validation=val)
    model = make_model(problem, outputs, train[0][0], recorder, training=True)
    optimizer, loss_fn = make_optimizer(options, model, recorder), LOSSES[problem]()
    loader = make_loader(train, recorder, plain=False)
    losses = [plain_number(answer.train_one_epoch(model, loader, loss_fn, optimizer)) for _ in range(2)]
    val_loss = plain_number(answer.evaluate(model, make_loader(val, recorder, plain=False), loss_fn))
    return {"state": state_of(model), "train_loss": losses, "val_loss": val_loss, "events": recorder.events}


def plain_number(value):
    return value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value
