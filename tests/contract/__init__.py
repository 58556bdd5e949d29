"""What a service must do to speak the automation contract, version 1: checks over plain HTTP, for any service at any address.

`speaker` talks to the service, `cases_*` are the checks, `command` runs them: `python -m tests contract --url URL …`.
"""
