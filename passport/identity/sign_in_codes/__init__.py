"""Sign-in codes as operators and the city desk hand them out: to whom, by how many people, and taken back."""
