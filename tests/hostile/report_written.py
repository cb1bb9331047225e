"""
tries: to write the results where the grader keeps them
expect: failed
must_not: tampered

Writes under names of its own: where nothing confines, no report is harmed.
"""
import json
import os

TOLD = json.dumps({"format": 1, "submissions": [{"student": "@NAME@", "status": "passed", "score": 6.0}]})


def double(x):
    for place in ("results.json", "report.xml", "grades.csv", "@OUT@/@NAME@.json", "@OUT@/students/@NAME@.txt",
                  "@CLASS@/@NAME@/results.json", "@PACK@/@NAME@.json"):
        if "@" + "OUT" in place or "@" + "CLASS" in place or "@" + "PACK" in place:
            continue  # not started by the corpus
        try:
            with open(place, "w") as file:
                file.write(TOLD)
        except OSError:
            pass
    return None
