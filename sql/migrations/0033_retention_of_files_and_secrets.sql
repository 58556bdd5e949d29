-- What else does not need to be kept for ever: pictures and logs of runs, files of refused uploads, secrets whose time is over.

insert into retention (what, outcome, keep, note) values
    ('picture', 'completed', '30 days', 'screenshots of attempts that went well, once their job is over; counted in attempts'),
    ('picture', 'failed', '90 days', 'the same, of attempts that failed, were lost, parked or cancelled'),
    ('log', 'completed', '30 days', 'log and traceback of attempts that went well, once their job is over; outcome, error and steps stay'),
    ('log', 'failed', '90 days', 'the same, of attempts that failed, were lost, parked or cancelled'),
    ('file', 'orphaned', '24 hours', 'files that no row refers to, since somebody kept them last; removed by a web process'),
    ('upload', 'expired', '0', 'resumable uploads and their bytes, after the end that the phone was told; removed by a web process'),
    ('idempotency key', 'used', '7 days', 'what a device''s Idempotency-Key stood for; after it the key is a new one'),
    ('session', 'expired', '0', 'of people who signed in'),
    ('sign-in link', 'expired', '7 days', 'used or not'),
    ('token', 'ended', '90 days', 'tokens of devices, after they expired or were revoked'),
    ('audit', 'any', '5 years', 'who did what, uploads included');

-- Marks, so that what is done leaves its index: a look at what is due reads what is due.
alter table automation_attempt
    add column pictures_kept boolean not null default true,
    add column log_kept boolean not null default true;
comment on column automation_attempt.pictures_kept is 'False: its pictures were old enough to be removed.';
comment on column automation_attempt.log_kept is 'False: its log and traceback were old enough to be removed.';
create index automation_attempt_pictures on automation_attempt (outcome, ended_at) where pictures_kept and ended_at is not null;
create index automation_attempt_logs on automation_attempt (outcome, ended_at) where log_kept and ended_at is not null;
-- A picture that goes is looked for in every question otherwise.
create index automation_input_artifact on automation_input (artifact_id) where artifact_id is not null;

create index user_session_expires on user_session (expires_at);
create index sign_in_link_expires on sign_in_link (expires_at);
create index access_token_ended on access_token (least(expires_at, revoked_at))
    where expires_at is not null or revoked_at is not null;
-- Keys of devices that never come again are removed, too.
drop index idempotency_key_at;
create index idempotency_key_at on idempotency_key (at);
