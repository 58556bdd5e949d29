"""Records as they are found: filtered lists, counts, and the numbers on top of the page."""
