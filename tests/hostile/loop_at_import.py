"""
tries: to loop while the file is loaded
expect: timeout
must_not: points
"""
while True:
    pass
