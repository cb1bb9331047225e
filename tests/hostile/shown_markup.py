"""
tries: to have markup run in the instructor's browser: from output, exceptions, names and notes
expect: error failed timeout
must_not: shown
"""
MARK = ("<hostile-tag onhostile=1></hostile-tag><script>hostile()</script><img src='//hostile.example/x' "
        "onhostile=alert(1)>]]>--></style></pre></textarea></title><a href='javascript:hostile()'>x</a>{{hostile}}")

print(MARK)


def double(x):
    print(MARK)
    raise type(MARK, (Exception,), {})(MARK)


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        return type(MARK, (), {"__repr__": lambda self: MARK})()


def draw_noise(n):
    return MARK
