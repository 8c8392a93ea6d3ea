"""P1 to P12: properties of every judgement and admission response, over generated objects, edits, policies and clusters."""
