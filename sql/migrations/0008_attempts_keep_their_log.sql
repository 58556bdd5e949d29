-- What an attempt logged, beside its error and traceback. And the way from a queue row to its attempt, which every sweep and
-- every edit by hand asks for: without the index each would read all attempts ever made.

alter table automation_attempt add column log text not null default '' check (octet_length(log) <= 65536);
comment on column automation_attempt.log is 'The last 1,000 lines its worker logged for it, messages only. Never form data.';

create index automation_attempt_queue_row on automation_attempt (queue_job_id);
