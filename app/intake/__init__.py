"""Intake: an upload becomes defects, a record and its job in one transaction.

`strict_json` and `decode` read what a phone sends, `names` and `fingerprint` identify it, `photos` (through
`decoding`, in processes of its own) looks into the pictures, `rules` says what is wrong with it.
`service` accepts a record, `attaching` a photo on its own, `correcting` a later revision; `receipts` tells what is stored.
"""
