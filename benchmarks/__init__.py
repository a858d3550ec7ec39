"""Measurements of perdure, and of the bare parts that it is compared with."""
