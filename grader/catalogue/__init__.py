"""What may be asked: the exercises, in order."""

from grader.catalogue.catalogue import Catalogue
from grader.catalogue.known import known_answers
from grader.catalogue.places import content_root, templates

__all__ = ["Catalogue", "content_root", "known_answers", "templates"]
