-- Admission: how many runs an account of a portal bears at once and how quickly they may start, who waits for it and why.
-- A slot is a row made beforehand, so that taking one is exact in the whole cluster and waits for nobody.

alter table portal_account
    add column max_runs int not null default 2 check (max_runs between 1 and 1000),
    add column starts_per_minute float8 check (starts_per_minute > 0),
    add column next_start_at timestamptz,
    add column paused_at timestamptz,
    add column paused_by text,
    add column paused_reason text,
    add column paused_as text check (paused_as in ('paused', 'login', 'recipe_paused')),
    add column breaker_failures int not null default 3 check (breaker_failures > 0),
    add column breaker_window_s float8 not null default 120 check (breaker_window_s > 0),
    add column breaker_open_s float8 not null default 60 check (breaker_open_s > 0),
    add column breaker_cap_s float8 not null default 900 check (breaker_cap_s > 0),
    add column breaker_until timestamptz,
    add column breaker_openings int not null default 0,
    add column breaker_reason text,
    add column counts_from timestamptz not null default now(),
    add constraint account_paused_says_why check (
        (paused_at is null) = (paused_by is null) and (paused_at is null) = (paused_as is null)
        and (paused_at is null) = (paused_reason is null));
comment on column portal_account.max_runs is 'Runs at once. An UPDATE of it takes effect at once.';
comment on column portal_account.starts_per_minute is 'Runs that may start in a minute, evenly spaced; null: as they come.';
comment on column portal_account.next_start_at is 'The next run starts no earlier; each start that is granted moves it on.';
comment on column portal_account.paused_at is 'Set: no run starts. An UPDATE of it takes effect at once, both ways.';
comment on column portal_account.paused_as is 'paused: by a person; login: the portal rejected our credentials; recipe_paused: a step was not found by several jobs.';
comment on column portal_account.breaker_failures is 'So many jobs that fail by the portal itself within breaker_window_s open the breaker.';
comment on column portal_account.breaker_open_s is 'Seconds until one job probes the portal; doubled at each probe that fails, up to breaker_cap_s.';
comment on column portal_account.breaker_until is 'Null: closed. In the future: open, no run starts. In the past: half-open, one run at a time probes.';
comment on column portal_account.counts_from is 'Failures before it are forgotten: the portal has taken a record since, or a person has resumed it.';

-- No foreign key to the job: the slot is taken just before the job's row is written.
create table portal_slot (
    account_id uuid not null references portal_account on delete cascade,
    n int not null check (n > 0),
    job_id uuid unique,
    taken_at timestamptz,
    run_at timestamptz,
    primary key (account_id, n),
    check ((job_id is null) = (taken_at is null)),
    check (run_at is null or job_id is not null)
);
create index portal_slot_free on portal_slot (account_id, n) where job_id is null;
comment on table portal_slot is 'The right to one run at an account. It belongs to the run: a lost or detached attempt''s successor inherits it.';
comment on column portal_slot.run_at is 'Since when a run may be in the portal; until then the slot can be taken back.';

insert into portal_slot (account_id, n) select id, n from portal_account, generate_series(1, max_runs) as n;

alter table automation_job
    add column down_since timestamptz,
    drop constraint job_waiting_says_why,
    add constraint job_waiting_says_why check (case
        when state in ('awaiting_media', 'held', 'retrying', 'needs_input') then wait_reason is not null
        when state = 'queued' then true
        else wait_reason is null end);
comment on column automation_job.down_since is 'Since when the portal tells it to come back later; after a day it is held for an operator.';
comment on column automation_job.wait_reason is 'What a live job waits for; a queued one without a reason may run now.';

create index automation_job_waiting on automation_job (account_id, queued_at, id)
    where state = 'queued' and wait_reason is not null;
create index automation_job_held on automation_job (account_id) where state = 'held';
create index automation_attempt_failed on automation_attempt (ended_at) where outcome = 'failed';
