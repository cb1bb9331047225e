"""
tries: to read the gradebook and the results of others
expect: failed
must_not: said
"""
import os


def double(x):
    for name in ("gradebook.db", "results.json", "grades.csv", "index.html"):
        try:
            with open("@OUT@/" + name, "rb") as file:
                file.read(1)
                print("@SAID@"[::-1], name)
        except OSError:
            pass
    try:
        print("@SAID@"[::-1], os.listdir("@OUT@"))
    except OSError:
        pass
    return None
