"""`python -m grader.cli`: the same as `learn`."""

from grader.cli import main

# The processes of the pool import the module that was started: there it is not __main__.
if __name__ == "__main__":
    main()
