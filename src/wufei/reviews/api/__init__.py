"""Reviews for machines: rounds, applications and what is done with them, public lists, the caller's tasks."""
