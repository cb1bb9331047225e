"""What happens beside the learner's code: tensors that share memory, and writes through one of them."""

CUTS = {
    "base": lambda base: base,
    "base.t()": lambda base: base.t(),
    "base[::2]": lambda base: base[::2],
    "base[:, 1]": lambda base: base[:, 1],
    "base[:, :2]": lambda base: base[:, :2],
    "base[:, 1:4]": lambda base: base[:, 1:4],
    "base.transpose(0, 2)": lambda base: base.transpose(0, 2),
}

MADE = {
    "x": lambda x: x,
    "x.t()": lambda x: x.t(),
    "x.view(-1)": lambda x: x.view(-1),
    "x.clone()": lambda x: x.clone(),
    "x + 0": lambda x: x + 0,
    "x[:]": lambda x: x[:],
    "x[:2]": lambda x: x[:2],
    "x[1:]": lambda x: x[1:],
    "x[:, 1]": lambda x: x[:, 1],
    "x[-1]": lambda x: x[-1],
    "x[[1, 0]]": lambda x: x[[1, 0]],
    "x[1:].clone()": lambda x: x[1:].clone(),
    "x.reshape(-1)": lambda x: x.reshape(-1),
    "x.reshape(x.shape)": lambda x: x.reshape(x.shape),
    "x[1:].reshape(-1)": lambda x: x[1:].reshape(-1),
    "x[:, 1:].reshape(-1)": lambda x: x[:, 1:].reshape(-1),
    "x.t().reshape(-1)": lambda x: x.t().reshape(-1),
    "x.contiguous()": lambda x: x.contiguous(),
    "x.t().contiguous()": lambda x: x.t().contiguous(),
}


def write_both_ways(answer, base, cut, rows, place, first, second):
    """Write `first` through the result and read the base, then `second` through x and read the result."""
    x = CUTS[cut](base)
    result = answer.view_as_rows(x, rows)
    result[place] = first
    base_then = base.clone()
    x[(0,) * x.dim()] = second
    return {"base": base_then, "result": result}


def ask_is_copy(answer, whole, part, names):
    """What is_copy says of each y, and x and y as they are afterwards. x is `whole`, or all but its first row."""
    told = {}
    for name in names:
        x = whole.clone()[1:] if part else whole.clone()
        y = MADE[name](x)
        told[name] = [answer.is_copy(x, y), x, y]
    return told


def write_into(answer, base, cut, step, value):
    """Let write_every write into a part of base; only the base is looked at."""
    answer.write_every(CUTS[cut](base), step, value)
    return base
