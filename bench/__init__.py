"""Measures how fast Galleria is on this machine: `make bench`."""
