-- Uploads that survive a cut: what is known of one between its requests. The bytes are in the spool, beside the blobs.

create table upload_session (
    id uuid primary key default gen_random_uuid(),
    device_id uuid not null references device,
    -- No foreign key: a photo may be here before its record.
    record_id uuid not null,
    name text not null check (char_length(name) between 1 and 120),
    declared_sha256 bytea check (octet_length(declared_sha256) = 32),
    metadata text not null default '' check (char_length(metadata) <= 8192),
    length bigint check (length >= 0),
    received bigint not null default 0 check (received >= 0),
    state text not null default 'receiving' check (state in ('receiving', 'complete', 'accepted', 'refused')),
    refusal jsonb,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    check (received <= length),
    check (state = 'receiving' or (length is not null and received = length)),
    check ((state = 'refused') = (refusal is not null))
);
create index upload_session_due on upload_session (expires_at);
create index upload_session_open on upload_session (device_id) where state in ('receiving', 'complete');
create index upload_session_waiting on upload_session (record_id) where state = 'complete';
comment on table upload_session is 'A resumable upload of a photo. Its id is the secret part of its address; it ends as a photo of the record, or expires.';
comment on column upload_session.received is 'Bytes that are synced to disk. The file may be longer after a crash: the smaller of the two counts.';
comment on column upload_session.length is 'Bytes in all; null until the phone knows.';
comment on column upload_session.state is 'receiving; complete: all bytes here, not yet a photo (its record may be missing); accepted: a photo of the record; refused: never will be.';
comment on column upload_session.refusal is 'Code and detail of the problem that every further request is answered with.';
