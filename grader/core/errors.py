"""What can go wrong that a person must be told, and how the program ends then.

    AutogradebookError          a sentence for the user; exit code 2 unless said otherwise
    ├── WrongUsage              the command cannot mean anything here
    ├── BadFile                 a file that is missing, unreadable or not what it should be
    ├── BadExercise             an exercise folder that breaks its contract
    ├── MissingPart             the machine lacks something that was asked for (CUDA, a library)
    └── OurFault                exit code 3: the engine failed; nothing is scored

Every message is one or two clear sentences: the file, the fault, the next command.
"""


class AutogradebookError(Exception):
    """A sentence for the user."""

    exit_code = 2


class WrongUsage(AutogradebookError):
    """The command cannot mean anything here."""


class BadFile(AutogradebookError):
    """A file that is missing, unreadable or not what it should be."""


class BadExercise(AutogradebookError):
    """An exercise folder that breaks its contract."""


class MissingPart(AutogradebookError):
    """The machine lacks something that was asked for."""


class OurFault(AutogradebookError):
    """The engine failed; nothing is scored."""

    exit_code = 3
