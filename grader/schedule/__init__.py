"""Who works when."""

from grader.schedule.local import Died, run

__all__ = ["Died", "run"]
