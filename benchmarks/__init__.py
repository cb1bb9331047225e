"""Measurements, each one command. They print ratios taken side by side in one run, and are no tests."""
