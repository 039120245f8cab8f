"""What a model answered, as a person reads it."""
