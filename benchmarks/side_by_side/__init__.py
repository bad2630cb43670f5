"""Four taps, a loader and their peers, measured side by side."""
