"""`python -m tap_bookings`."""

from tap_bookings.tap import TapBookings

TapBookings.cli()
