"""Exercises that teach PyTorch and grade themselves."""

# The two functions that IPython looks for here. By name, because nothing below the command line may depend on it, and
# everything below depends on this file.


def load_ipython_extension(shell: object) -> None:
    """`%load_ext grader` in a notebook: the magics `%%check 05` and `%check 05`."""
    from importlib import import_module

    import_module("grader.cli._magic").load(shell)


def unload_ipython_extension(shell: object) -> None:
    """`%unload_ext grader`."""
    from importlib import import_module

    import_module("grader.cli._magic").unload(shell)
