"""Requests as the APIs want them: credentials, rate limits, retries, pages."""
