"""Singer tap for the SavvyCal API v1."""
