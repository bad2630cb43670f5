"""What the scheduling taps share and the Singer SDK does not do."""
