"""The files of a release: their content, and that two builds give the same bytes."""
