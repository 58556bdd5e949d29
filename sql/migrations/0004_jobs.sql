-- What happens to a record: its job, the job's attempts, their steps, and the one submission.
-- The truth about execution is here; a row in Procrastinate's table only carries it to a worker.

create table automation_job (
    id uuid primary key,
    record_id uuid not null references asbuilt_record,
    revision int not null,
    project_id uuid not null references project,
    device_id uuid not null references device,
    account_id uuid not null references portal_account,
    external_ref text not null,
    generation int not null default 1 check (generation > 0),
    state text not null,
    wait_reason text,
    ready_at timestamptz,
    -- No foreign key: TRUNCATE procrastinate_jobs CASCADE would take our jobs with it.
    queue_job_id bigint unique,
    attempt int not null default 0,
    failures int not null default 0,
    interruptions int not null default 0,
    max_attempts int not null check (max_attempts > 0),
    error_code text,
    error_class text,
    error_message text,
    error_step text,
    confirmation text,
    portal_url text,
    created_at timestamptz not null default now(),
    queued_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    -- Set by the trigger job_stamp, for the event stream.
    seq int not null default 0,
    changed_at timestamptz not null default now(),
    changed_xid xid8 not null default '0',
    constraint job_state check (state in ('awaiting_media', 'held', 'queued', 'processing', 'retrying', 'needs_input',
                                          'completed', 'failed', 'cancelled')),
    constraint job_terminal_is_finished check ((state in ('completed', 'failed', 'cancelled')) = (finished_at is not null)),
    constraint job_terminal_has_no_queue_row check (state not in ('completed', 'failed', 'cancelled') or queue_job_id is null),
    constraint job_completed_is_confirmed check ((state = 'completed') = (confirmation is not null)),
    constraint job_failed_says_why check (state <> 'failed' or error_code is not null),
    constraint job_retrying_says_when check (state <> 'retrying' or (ready_at is not null and error_code is not null)),
    constraint job_processing_has_attempt check (state <> 'processing' or (attempt > 0 and started_at is not null)),
    constraint job_waiting_says_why check ((state in ('awaiting_media', 'held', 'retrying', 'needs_input')) = (wait_reason is not null)),
    constraint job_failures_in_budget check (failures between 0 and max_attempts)
);
create unique index automation_job_live on automation_job (record_id)
    where state not in ('completed', 'failed', 'cancelled');
create index automation_job_record on automation_job (record_id, created_at desc);
create index automation_job_project on automation_job (project_id, created_at desc, id desc);
create index automation_job_changed on automation_job (changed_xid);
create index automation_job_due on automation_job (ready_at) where state = 'retrying';
create index automation_job_open on automation_job (project_id, state)
    where state not in ('completed', 'cancelled');
create index automation_job_finished on automation_job (project_id, finished_at) where state = 'completed';
comment on table automation_job is 'The automation of one record. At most one job of a record is live.';
comment on column automation_job.attempt is 'Number of the latest attempt: the fence. A write of a lower attempt changes nothing.';
comment on column automation_job.failures is 'Attempts spent of max_attempts since the last retry by a person.';
comment on column automation_job.generation is 'Part of the run''s idempotency key; grows only when the run before is known to be over.';
comment on column automation_job.interruptions is 'Attempts lost in a row without a newly confirmed step; the third ends the job.';
comment on column automation_job.changed_xid is 'Transaction of the last change: the cursor of streams over many jobs.';

create table automation_attempt (
    job_id uuid not null references automation_job,
    attempt int not null check (attempt > 0),
    queue_job_id bigint not null,
    worker text not null,
    started_at timestamptz not null default now(),
    lease_until timestamptz not null,
    ended_at timestamptz,
    outcome text check (outcome in ('completed', 'failed', 'lost', 'detached', 'parked', 'cancelled')),
    error_code text,
    error_class text,
    error_message text,
    error_step text,
    traceback text,
    progress jsonb,
    progress_at timestamptz,
    primary key (job_id, attempt),
    check ((ended_at is null) = (outcome is null))
);
create index automation_attempt_open on automation_attempt (lease_until) where ended_at is null;
comment on column automation_attempt.lease_until is 'Renewed by its worker, on this clock; an attempt past it is lost. Here and not on the job, which a submission holds locked.';
comment on table automation_attempt is 'One execution of a job by one worker. Open until ended_at is set; only an open attempt may write.';

create table automation_run (
    job_id uuid not null references automation_job,
    generation int not null,
    run_id text not null,
    started_at timestamptz not null default now(),
    primary key (job_id, generation)
);
comment on table automation_run is 'The automation service''s own execution, found again by the key <job id>.<generation>.';

create table automation_step (
    job_id uuid not null,
    attempt int not null,
    key text not null,
    index int not null check (index > 0),
    total int not null check (total >= index),
    label text not null,
    state text not null check (state in ('running', 'confirmed', 'failed')),
    outputs jsonb not null default '{}',
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (job_id, attempt, key),
    foreign key (job_id, attempt) references automation_attempt,
    check ((state = 'running') = (ended_at is null))
);
comment on table automation_step is 'A named part of an automation as one attempt went through it.';

create table artifact (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null references automation_job,
    attempt int not null,
    step text not null,
    kind text not null check (kind in ('screenshot', 'page')),
    blob_sha256 bytea not null references blob,
    created_at timestamptz not null default now()
);
create index artifact_job on artifact (job_id, attempt, created_at);
create index artifact_blob on artifact (blob_sha256);

create table portal_submission (
    portal_key text not null references portal,
    external_ref text not null,
    job_id uuid not null references automation_job,
    state text not null check (state in ('intent', 'absent', 'confirmed')),
    attempt int not null,
    intents int not null default 1,
    intent_at timestamptz not null,
    confirmation text,
    confirmed_by text,
    evidence jsonb,
    primary key (portal_key, external_ref),
    check ((state = 'confirmed') = (confirmation is not null))
);
create index portal_submission_job on portal_submission (job_id);
comment on table portal_submission is 'The one submission of a reference: intent before the irreversible step, confirmation after. Kept for ever.';
