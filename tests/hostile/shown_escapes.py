"""
tries: to steer the instructor's terminal, and to turn the direction of writing
expect: error failed timeout
must_not: shown

Window titles, colours, clearing the screen, invisible letters, in all that is shown.
"""
MARK = "\x1b]0;hostile\x07\x1b[2J\x1b[31mpassed\x9b2J\u202e\u2066\u200e\ufeff\x00\x08\x7f\r\n\x0b\u2028 end"

print(MARK)


def double(x):
    print(MARK)
    raise ValueError(MARK)


class Counter:
    def __init__(self, step):
        pass

    def next(self):
        raise type(MARK.replace("\x00", ""), (Exception,), {})(MARK)


def draw_noise(n):
    return MARK
