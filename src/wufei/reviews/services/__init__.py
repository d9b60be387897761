"""What changes reviews: one file for each noun of the room. Every write is here, each in one transaction."""
