"""The plan of a project, brought in from a file: `table` reads CSV, `features` GeoJSON, `assets` says what may be stored.

`service` stores all of it or nothing.
"""
