"""HTTP: credentials, rate limits, retries, pagination."""
