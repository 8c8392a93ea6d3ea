"""Tests. The folders and files mirror those of the packages."""
