"""Uses threads: two of its own, and two of torch's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch


def double(x):
    torch.set_num_threads(2)
    (torch.ones(300, 300) @ torch.ones(300, 300)).sum()
    with ThreadPoolExecutor(2) as pool:
        halves = [pool.submit(torch.add, x, x), pool.submit(torch.mul, x, 0)]
        return halves[0].result() + halves[1].result()


class Counter:
    def __init__(self, step):
        self.step = step
        self.value = -step
        self.lock = threading.Lock()

    def next(self):
        def forward():
            with self.lock:
                self.value += self.step

        worker = threading.Thread(target=forward)
        worker.start()
        worker.join()
        return self.value


def draw_noise(n):
    return torch.randn(n)
