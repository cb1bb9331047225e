"""
tries: to leave the process so that the next call, or the next student, cannot work
expect: failed error crashed
must_not: points

Default types, gradients, threads, warnings as errors, hooks on every module, a patched allocator.
"""
import os
import sys
import warnings

import torch


def double(x):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(7)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed = lambda *a: None
    warnings.simplefilter("error")
    torch.nn.modules.module.register_module_forward_hook(lambda *a: torch.zeros(1))
    sys.settrace(lambda *a: None)
    sys.stdout = sys.stderr = None
    os.environ.clear()
    os.chdir("/")
    return None
