"""The product's tests, by what they need: unit (nothing), sql, web, worker, e2e (real processes), browser."""
