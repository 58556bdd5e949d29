-- What was built: forms, the records filled in from them, their photos, and what the checks found.
-- The phone makes a record's uuid, so the same upload sent twice meets its own primary key.

create table form_def (
    form_key text not null check (form_key ~ '^[a-z0-9][a-z0-9-]{0,59}$'),
    version int not null check (version > 0),
    title text not null,
    state text not null default 'open' check (state in ('draft', 'open', 'closing', 'closed')),
    -- json, not jsonb: the order of the properties is the order of the fields on the page.
    schema json not null,
    shots jsonb not null default '[]',
    measures jsonb not null default '[]',
    rules jsonb not null default '{}',
    created_at timestamptz not null default now(),
    primary key (form_key, version)
);
comment on table form_def is 'A form''s version: JSON Schema 2020-12 of its fields, its photo shots and its measurement ranges. Never edited once open.';

create table blob (
    sha256 bytea primary key check (octet_length(sha256) = 32),
    size bigint not null check (size > 0),
    type text not null,
    created_at timestamptz not null default now()
);
comment on table blob is 'Bytes that are safely on disk under their own hash. The row is written after the file.';

create table asbuilt_record (
    id uuid primary key,
    project_id uuid not null references project,
    device_id uuid not null references device,
    form_key text not null,
    form_version int not null,
    asset_key text not null default '',
    crew text not null default '',
    external_ref text not null unique check (external_ref ~ '^AB-[0-9A-Z]{10}$'),
    revision int not null default 1 check (revision > 0),
    fields jsonb not null check (jsonb_typeof(fields) = 'object'),
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    lat double precision check (lat between -90 and 90),
    lon double precision check (lon between -180 and 180),
    h_accuracy_m double precision check (h_accuracy_m between 0 and 1e6),
    v_accuracy_m double precision check (v_accuracy_m between 0 and 1e6),
    altitude_m double precision check (altitude_m between -1e5 and 1e5),
    fix_type text,
    position_source text,
    captured_at timestamptz,
    client_created_at timestamptz,
    device_sent_at timestamptz,
    received_at timestamptz not null default now(),
    review_state text not null default 'received'
        check (review_state in ('received', 'has_issues', 'edited', 'approved', 'rejected')),
    media_state text not null check (media_state in ('awaiting', 'complete')),
    deleted_at timestamptz,
    foreign key (form_key, form_version) references form_def,
    check ((lat is null) = (lon is null))
);
create index asbuilt_record_list on asbuilt_record (project_id, received_at desc, id desc) where deleted_at is null;
create index asbuilt_record_device on asbuilt_record (device_id, received_at desc);
create index asbuilt_record_asset on asbuilt_record (project_id, asset_key);
create index asbuilt_record_awaiting on asbuilt_record (received_at) where media_state = 'awaiting';
comment on column asbuilt_record.external_ref is 'Our reference at the portal, fixed when the record is made; what look-ups search for.';
comment on column asbuilt_record.fingerprint is 'SHA-256 of the canonical content and photo list: tells a repeat from another record under the same id.';

create table record_revision (
    record_id uuid not null references asbuilt_record,
    revision int not null check (revision > 0),
    fields jsonb not null,
    at timestamptz not null default now(),
    by text not null,
    reason text not null default '',
    primary key (record_id, revision)
);
comment on table record_revision is 'Every content a record ever had. Append-only.';

create table photo (
    id uuid primary key default gen_random_uuid(),
    record_id uuid not null references asbuilt_record,
    name text not null check (char_length(name) between 1 and 120),
    shot_key text not null,
    kind text not null default 'photo' check (kind in ('photo', 'redline', 'otdr', 'signature', 'other')),
    declared_sha256 bytea check (octet_length(declared_sha256) = 32),
    declared_size bigint,
    declared_type text,
    blob_sha256 bytea references blob,
    rejected_reason text,
    received_at timestamptz,
    width int,
    height int,
    taken_at timestamptz,
    taken_at_source text check (taken_at_source in ('offset', 'gps', 'project_tz')),
    lat double precision check (lat between -90 and 90),
    lon double precision check (lon between -180 and 180),
    exif jsonb not null default '{}',
    checks text not null default 'deferred' check (checks in ('done', 'deferred', 'failed')),
    unique (record_id, name),
    check ((received_at is null) = (blob_sha256 is null and rejected_reason is null))
);
create unique index photo_name_twins on photo (record_id, lower(name));
create index photo_blob on photo (blob_sha256);
comment on table photo is 'An attachment in a named shot slot. Expected until its bytes are received, or refused with a reason.';

create table defect (
    id uuid primary key default gen_random_uuid(),
    record_id uuid not null references asbuilt_record,
    revision int not null,
    rule text not null,
    severity text not null check (severity in ('blocker', 'major', 'minor', 'info')),
    field text,
    photo text,
    message text not null,
    evidence jsonb not null default '{}',
    status text not null default 'open' check (status in ('open', 'waived', 'fixed')),
    by text,
    reason text,
    at timestamptz not null default now(),
    check (status = 'open' or by is not null)
);
create unique index defect_once on defect (record_id, revision, rule, coalesce(field, ''), coalesce(photo, ''));
create index defect_open on defect (record_id, severity) where status = 'open';
comment on table defect is 'A finding on a record. An open blocker holds the automation, never the record.';
