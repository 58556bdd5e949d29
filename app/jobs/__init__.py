"""Automation jobs as people see and steer them: states, status, lists, retry. The work itself is done in `tasks`."""
