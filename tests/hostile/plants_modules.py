"""
tries: to leave conftest.py, sitecustomize.py, a .pth and a torch.py for the process after it
expect: crashed
must_not: said

The next process of the same submission begins in the same folder.
"""
import os

EVIL = 'print("@SAID@"[::-1])\n'
FILES = ("conftest.py", "sitecustomize.py", "usercustomize.py", "evil.pth", "torch.py", "numpy.py", "scenes.py",
         "answer.py", "pytest.ini", "grader/__init__.py", "grader/sandbox/__init__.py")


def double(x):
    for name in FILES:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        text = "import os; " + EVIL if name.endswith(".pth") else EVIL
        with open(name, "w") as file:
            file.write(text if name.endswith((".py", ".pth")) else "[pytest]\naddopts = -p evil\n")
    os._exit(0)


def draw_noise(n):
    import importlib

    # Where the folder is on the path, this brings in what was planted.
    for name in ("sitecustomize", "conftest", "usercustomize"):
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    return None
