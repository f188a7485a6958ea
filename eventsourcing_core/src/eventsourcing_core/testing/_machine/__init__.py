"""A chapter that compares a store with a model, step by step."""
