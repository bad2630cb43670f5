"""The scheduling APIs on one port, over one simulated world."""
