-- A job that was lost with its worker twice runs alone the third time. Until it does, its attempt has run nothing, and
-- losing it proves nothing against the job.

alter table automation_attempt add column waits boolean not null default false;
comment on column automation_attempt.waits is 'Claimed, and waiting in its worker until it can run alone; losing it counts as no interruption.';
