"""How large the jobs of a study are, and the study as a whole, before anything runs."""
