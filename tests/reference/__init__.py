"""What of the docs is made from the code. `python -m tests.reference` writes it; `tests/unit/test_reference.py` compares."""
