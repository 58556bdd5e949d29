"""Uploads that go on where they were cut: `spool` has the bytes, `store` the sessions, `service` the rule.

`tus` speaks tus 1.0, `ietf` what is to become an RFC. A complete upload ends in `app.intake.attaching.accept_photo`, like every other photo.
"""
