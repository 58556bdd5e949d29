"""A record as the office works with it: whole, its photos, and what people decide on it."""
