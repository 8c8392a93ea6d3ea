"""The twenty-five nasty inputs, each with its right answer at every door that it can come to."""
