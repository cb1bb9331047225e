"""Where the content lies: inside the installed package, or at the top level of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def content_root() -> Path:
    """The folder that holds `exercises/`, `solutions/` and `templates/`."""
    installed = _PACKAGE / "content"
    return installed if installed.is_dir() else _PACKAGE.parent


def templates() -> Path:
    return content_root() / "templates"
