"""What every scheduling tap needs and the Singer SDK does not do.

`tap` and `stream` are the two base classes; each of the other modules holds one idea.
"""
