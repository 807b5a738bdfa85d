"""What is over, and how long it is kept."""
