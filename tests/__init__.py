"""Tests, which mirror the packages file for file."""
