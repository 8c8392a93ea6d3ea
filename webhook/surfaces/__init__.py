"""The doors: parse, resolve, evaluate, render. No opinions live here."""
