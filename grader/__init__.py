"""Exercises that teach PyTorch and grade themselves."""
