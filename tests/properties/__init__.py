"""P1 to P11: what holds of every answer of the admission door, over generated objects, edits, policies and clusters."""
