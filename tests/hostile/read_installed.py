"""
tries: to read the solutions and checks of the installed package
expect: failed
must_not: said
"""
import importlib.util
import os
import pkgutil


def double(x):
    import grader

    base = os.path.dirname(grader.__file__)
    seen = [name for name in ("judge", "checks", "catalogue", "content", "flow.py", "ledger")
            if os.access(os.path.join(base, name), os.R_OK) and _has(os.path.join(base, name))]
    for root in (base + "/content", os.path.dirname(base)):
        for name in ("solutions", "exercises"):
            if _has(os.path.join(root, name)):
                seen.append(name)
    for name in ("grader.content.solutions", "solutions"):
        try:
            if importlib.util.find_spec(name) and pkgutil.get_data(name, "05_view_vs_reshape.py"):
                seen.append(name)
        except (ImportError, OSError):
            pass
    if seen:
        print("@SAID@"[::-1], seen)
    return None


def _has(path):
    try:
        if os.path.isdir(path):
            return len(os.listdir(path)) > 0
        with open(path) as file:
            return bool(file.read(1))
    except OSError:
        return False
