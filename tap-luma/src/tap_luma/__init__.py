"""Singer tap for the Luma public API."""
