"""Figures for Prometheus: what this process does, and how the whole system stands by the database.

`routes` answers GET /metrics · `meters` counts in this process · `service` reads the system's figures, seldom and once for
all who ask · `store` is that one query · `catalogue` names every figure of the system.
"""
