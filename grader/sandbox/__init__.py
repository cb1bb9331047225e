"""Where learners' code lives.

Theory of operation
-------------------
Three kinds of process:

* The **judge** (elsewhere: `grader.judge`) is trusted. It owns the clock, the checks and the answers. Here
  it only sees `client.Backend`s: it asks a `Request` and gets a `Reply`.
* The **zygote** (`zygote.py`) is a clean process, started by exec, that imports torch once and then forks.
  It takes its orders over a control socket and never sees a request, an input or an answer of the judge.
* A **child** is a fork of the zygote. It gives up every right that it does not need (`confinement.py`),
  then reads one learner's file from a socket that only the judge holds the other end of, and answers
  requests (`session.py`) until it is killed. Nothing that it says is believed beyond what `values.py` can
  decode: bounded frames of plain data.

Where fork is not to be had, or a GPU is in use, `spawn.py` starts a whole new process for each child and
keeps a spare one warm; the child speaks the same protocol over pipes.

This package is all of ours that a sandboxed process imports, together with `grader.core`.
"""
