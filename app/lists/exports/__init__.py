"""Everything that matches, to take along: a table, a map, and the photos. Streamed, whatever the size."""
