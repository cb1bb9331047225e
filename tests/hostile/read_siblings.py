"""
tries: to list and read the scratch folders of other submissions
expect: failed
must_not: said
"""
import os


def double(x):
    mine = os.getcwd()
    for above in ("..", "../..", os.path.dirname(mine)):
        try:
            for name in os.listdir(above):
                if not mine.endswith(name):
                    print("@SAID@"[::-1], name)
        except OSError:
            pass
    return None
