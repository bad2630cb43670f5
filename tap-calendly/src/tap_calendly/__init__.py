"""Singer tap for the Calendly API v2."""
