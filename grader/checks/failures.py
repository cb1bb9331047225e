"""How a check ends when it does not pass.

CheckFailed         the answer is wrong: the check says so
StudentEnded        the learner's code gave no answer, with the Reply that says why
"""

from typing import NoReturn

from grader.core.exchange import Reply, Request


class CheckFailed(AssertionError):
    """The learner's answer is wrong; the message is for the learner."""

    def __init__(self, message: str, given: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.given = given


class StudentEnded(Exception):
    """The learner's code raised, was refused, took too long or crashed."""

    def __init__(self, request: Request, reply: Reply, given: str = "") -> None:
        super().__init__(reply.reason or (reply.raised.message if reply.raised else ""))
        self.request = request
        self.reply = reply
        self.given = given


def fail(message: str) -> NoReturn:
    """End the check: the answer is wrong, and `message` tells the learner in what way."""
    raise CheckFailed(message)
