"""Singer messages on standard output, and the counts of a run."""
