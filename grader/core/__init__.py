"""The nouns: Exercise, Submission, Attempt, Verdict. No I/O, no torch."""
