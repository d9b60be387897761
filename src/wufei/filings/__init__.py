"""What an enterprise files or publishes once a year: management plan and public disclosure."""
