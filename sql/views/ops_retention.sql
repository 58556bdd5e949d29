-- What is removed how long after its end, and how the last round went.
create or replace view ops.retention as
select what, outcome, case when enabled then keep end as keep, enabled,
       case when enabled then count_due(what, outcome, clock_timestamp() - keep, 10001) else 0 end as due,
       last_at, last_removed, last_ms, longest_ms, batch, removed, note
  from retention;
comment on view ops.retention is
    'What is removed when. Change it with ops.set_retention(what, keep, why), or an UPDATE of table retention. Everything else is kept.';
comment on column ops.retention.keep is 'So long after its end; null: for ever.';
comment on column ops.retention.due is 'Rows that the next round removes, counted to 10,001; null for files, of which only the disk knows.';
comment on column ops.retention.last_at is 'When the last round began; last_removed and last_ms are its rows, and the time of all its batches.';
comment on column ops.retention.longest_ms is 'The longest batch of the last round: how long anything was locked by it.';
comment on column ops.retention.removed is 'Rows removed since ever.';
comment on column ops.retention.what is 'What is removed; with outcome it names the policy.';
comment on column ops.retention.enabled is 'Off: nothing of it is removed.';
comment on column ops.retention.last_removed is 'Rows that the last round removed.';
comment on column ops.retention.last_ms is 'Time of the last round''s batches, in milliseconds.';
comment on column ops.retention.batch is 'Rows removed in one transaction; sets itself by the time they take.';
comment on column ops.retention.note is 'What that means.';
