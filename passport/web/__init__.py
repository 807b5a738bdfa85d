"""The pages as they were built from `app/`, and the headers that go with every answer."""
