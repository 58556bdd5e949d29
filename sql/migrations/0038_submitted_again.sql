-- A completed job may be run again by a person: it is submitted once more, under a reference of its own, and nothing of the
-- submission before counts as this one's.

alter table automation_job
    add column times int not null default 1,
    add column attempts_before int not null default 0;
comment on column automation_job.times is 'So many submissions were asked for: one by the upload, each further one by ops.run_again.';
comment on column automation_job.attempts_before is 'Attempts up to this number were for the submissions before this one.';
comment on column automation_job.external_ref is 'The reference of its present submission at the portal: the record''s, from the second one on with -2, -3 and so on.';
comment on table portal_submission is 'The one submission of a reference: intent before the irreversible step, confirmation after. A job that was run again has one for each of its references. Kept for ever.';
