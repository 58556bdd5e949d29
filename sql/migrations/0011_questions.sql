-- Questions to people: what a run, or a switch of the portal or project, wants to know before a record is submitted.

create table automation_input (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null references automation_job,
    attempt int not null,
    generation int not null,
    run_input_id text,
    kind text not null check (kind in ('otp', 'captcha', 'approval', 'choice', 'fix')),
    prompt text not null,
    fields jsonb not null default '[]' check (jsonb_typeof(fields) = 'array'),
    artifact_id uuid references artifact,
    detail jsonb not null default '{}',
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    answered_at timestamptz,
    answered_by text,
    answer_cipher bytea,
    outcome text check (outcome in ('answered', 'used', 'approved', 'refused', 'expired', 'withdrawn')),
    -- An answer is kept until it is used, and never in the clear.
    check (answer_cipher is null or outcome = 'answered'),
    check ((answered_at is null) = (answered_by is null)),
    check (answered_at is not null or outcome is null or outcome in ('expired', 'withdrawn'))
);
create unique index automation_input_once on automation_input (job_id, generation, run_input_id) where run_input_id is not null;
create index automation_input_job on automation_input (job_id, asked_at desc);
create index automation_input_due on automation_input (expires_at) where outcome is null or outcome = 'answered';
comment on table automation_input is 'A question to a person and what became of it; open while outcome is null.';
comment on column automation_input.run_input_id is 'The run''s own name for its question: its page is held open until expires_at. Null: the run is over, the answer starts another.';
comment on column automation_input.answer_cipher is 'The answer, sealed under ASBUILT_SECRET_KEY; gone once it is used, too late, or not wanted any more.';
comment on column automation_input.detail is 'What an approval is about: an approval holds for exactly this.';

alter table portal add column approval boolean not null default false;
comment on column portal.approval is 'A person approves every submission to this portal.';
alter table project add column approval boolean not null default false;
comment on column project.approval is 'A person approves every submission of this project.';
