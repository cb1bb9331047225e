"""Options and helpers that several verbs share."""

from pathlib import Path

import click

pack_option = click.option(
    "--pack",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder with exercises/ and solutions/ to use in the place of the installed ones.",
)
device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="cpu|cuda|auto",
    help="Where the exercises' tensors are made; auto is CUDA where there is one.",
)
