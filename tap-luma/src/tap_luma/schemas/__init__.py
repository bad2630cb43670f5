"""The columns of each stream: `<stream>.json`, one property a line."""
