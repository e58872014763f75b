"""Measurements.  `make bench` prints them; none of them is a promise that a slow day on a shared machine could break."""
