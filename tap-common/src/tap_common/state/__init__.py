"""State of a tap: bookmarks, and the catalog and state files that a user gives."""
