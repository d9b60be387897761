"""What reads reviews: one file for each noun of the room."""
