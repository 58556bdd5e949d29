-- What happened, in order: events of jobs for the stream and the timeline, and every act of a person.

create table stream_epoch (
    single boolean primary key default true check (single),
    epoch uuid not null default gen_random_uuid()
);
insert into stream_epoch default values;
comment on table stream_epoch is 'Names this history of events. Renew it after a restore: update stream_epoch set epoch = gen_random_uuid().';

create table job_event (
    job_id uuid not null references automation_job,
    seq int not null check (seq > 0),
    at timestamptz not null default now(),
    kind text not null check (kind in ('created', 'state', 'media', 'changed')),
    actor text not null,
    data jsonb not null,
    primary key (job_id, seq)
);
comment on table job_event is 'Each change of a job, written by trigger in the transaction that makes it. seq is dense from 1.';

create table audit_event (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    reason text not null default '',
    project_id uuid,
    record_id uuid,
    job_id uuid,
    before jsonb,
    after jsonb
);
create index audit_event_record on audit_event (record_id, id);
create index audit_event_job on audit_event (job_id, id);
comment on table audit_event is 'Who did what and why. Append-only.';
