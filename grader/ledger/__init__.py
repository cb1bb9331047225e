"""Remembers: a learner's progress and an instructor's gradebook."""
