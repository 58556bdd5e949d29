"""Everybody sees the truth at once: changes of jobs from Postgres and progress from Redis, as server-sent events.

`routes` answers GET /api/events · `sse` is one stream's life · `feeds` what it sends, in which order · `cursor` its resume
points · `frames` its bytes · `subscription` its queue · `rounds` wakes them, a few at a
time · `hub` joins all streams with the two sources, `listener`
(Postgres) and `progress_reader` (Redis) · `store` reads snapshots and replays · `timings` all its durations and limits.
"""
