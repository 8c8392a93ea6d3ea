"""P1 to P11: properties of every admission response, over generated objects, edits, policies and clusters."""
