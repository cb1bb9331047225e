"""Exercises that teach PyTorch and grade themselves."""


def load_ipython_extension(shell: object) -> None:
    """`%load_ext grader` in a notebook: the magics `%%check 05` and `%check 05`."""
    from grader.cli._magic import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """`%unload_ext grader`."""
    from grader.cli._magic import unload

    unload(shell)
