"""
tries: to find the solution's function among all objects of the process
expect: failed timeout
must_not: points
"""
import gc
import sys
import types


def double(x):
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__name__ == "double" and thing is not double:
            if not thing.__module__.startswith(("torch", "numpy")):
                return thing(x)
    for name, module in list(sys.modules.items()):
        if "probe" in name or "solution" in name:
            return module.double(x)
    return None
