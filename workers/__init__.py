"""What happens after the answer: tasks that the outbox promises and a worker keeps."""
