"""Output: records that fit their schema, Singer messages, and the counters of a run."""
