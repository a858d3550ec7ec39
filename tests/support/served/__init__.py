"""Workflows that real servers serve in tests."""
