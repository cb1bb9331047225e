"""Proves an exercise before it is shipped, and makes the class that shows it off."""
