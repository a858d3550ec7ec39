"""Implementations of the store ports; only ``bootstrap`` imports them."""
