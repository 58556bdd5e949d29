-- Photos whose checks take longer than an upload has are looked at by a task of the queue; its row is known here, so that
-- the checks of a worker that died are taken up again.
create table record_check (
    record_id uuid primary key references asbuilt_record,
    -- No foreign key: TRUNCATE procrastinate_jobs CASCADE would take our rows with it.
    queue_job_id bigint not null,
    at timestamptz not null default now()
);
comment on table record_check is 'A record some of whose photos are still to be checked, and the queue row that brings it to a worker.';
create index photo_unchecked on photo (record_id) where checks = 'deferred' and blob_sha256 is not null;
