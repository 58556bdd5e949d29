"""All SQL of the product: migrations, functions, views and named queries, and the loader that types them.

The lowest room of the house: it imports nothing of ours, and only it names Procrastinate's columns.
"""

from sql.loader import Connection, Exec, Many, One, Opt, Queries, UnknownStatement, WrongRowCount, load, registry

__all__ = [
    "Connection",
    "Exec",
    "Many",
    "One",
    "Opt",
    "Queries",
    "UnknownStatement",
    "WrongRowCount",
    "load",
    "registry",
]
