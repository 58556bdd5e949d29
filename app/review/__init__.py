"""Records as the office works with them: lists, the page of one record, its photos, and the numbers on top."""
