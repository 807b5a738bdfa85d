"""A fictional town that uses the passport, and the story that shows what the passport does."""
