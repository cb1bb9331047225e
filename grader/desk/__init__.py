"""The instructor's desk: what carries exercises and grades to the course that is there already, and back.

One file for each thing that an instructor does (release, notebook, nbgrader, Gradescope, ...). Like `flow`, these
join the rooms; what they do with one other system's format lies in `ledger` (its gradebooks) and `report` (its
results).
"""
