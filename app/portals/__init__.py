"""Portal accounts as people see and steer them: limits, who waits, pauses, breakers. The rules are in SQL."""
