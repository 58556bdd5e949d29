-- Exactly one submission: how long a portal may take to show what it took in, how often an open outcome was looked up, how far
-- a run's events are stored, and what a step has put out, so that a later run resumes the portal's draft.

alter table portal add column settle_s float8 not null default 90 check (settle_s >= 0);
comment on column portal.settle_s is 'Seconds after an intent from which "there is none" is believed: submit time, lag of the portal''s search and a margin.';

alter table portal_submission add column looks int not null default 0;
comment on column portal_submission.looks is 'Look-ups that could not tell since the last intent.';

alter table automation_run add column last_seq int not null default 0, add column attempt int;
comment on column automation_run.last_seq is 'Every event of the run up to this one is stored; a later attempt that attaches asks for those after it.';
comment on column automation_run.attempt is 'The attempt that follows it, or followed it last.';

alter table automation_attempt add column error_action text;
comment on column automation_attempt.error_action is 'What it was doing at the portal, in the words of the recipe; never a value.';

alter table automation_step
    add column resumed boolean not null default false,
    add column input_hash text not null default '',
    add column recipe_version int;
comment on column automation_step.resumed is 'Saved at the portal by an earlier run, and passed over by this one.';
comment on column automation_step.input_hash is 'What the step keyed, as the automation service hashes it: another hash is keyed again.';

alter table artifact add column run_id text, add column run_seq int;
create unique index artifact_run on artifact (run_id, run_seq);
comment on column artifact.run_seq is 'The event of the run that brought it: brought again, it is not stored again.';
