"""Singer tap for the OnceHub API v2."""
