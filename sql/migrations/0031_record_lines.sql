-- What lists filter by, search in and count, in one narrow row a record: else each question
-- would read the wide rows of four tables. Triggers keep it (sql/functions/record_line*.sql), so it is right whoever writes.
-- Only what never changes once a record is there is indexed, and its text: a job's every state is then an update in place.
create extension if not exists pg_trgm;

create table record_line (
    record_id uuid primary key references asbuilt_record on delete cascade,
    project_id uuid not null references project,
    received_at timestamptz not null,
    captured_at timestamptz,
    review_state text not null,
    job_state text,
    portal_key text,
    severity text not null default 'none' check (severity in ('blocker', 'major', 'minor', 'info', 'none')),
    search text not null
) with (
    -- Room for updates in place.
    fillfactor = 75,
    -- New texts gather in the index's pending list, which costs an upload a quarter of a millisecond; vacuum works it in before
    -- it is full, since otherwise an upload would have to.
    autovacuum_vacuum_insert_threshold = 500, autovacuum_vacuum_insert_scale_factor = 0);
create index record_line_list on record_line (project_id, received_at desc, record_id desc);
create index record_line_all on record_line (received_at desc, record_id desc);
create index record_line_search on record_line using gin (search gin_trgm_ops);
comment on table record_line is 'A record as lists find it: kept by triggers, never written by hand.';
comment on column record_line.severity is 'The worst open finding.';
comment on column record_line.job_state is 'State of the latest job, as portal_key is its portal.';
comment on column record_line.search is 'Lower-case text that a search looks into.';
