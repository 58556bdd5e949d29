-- What was planned, and which serial numbers are built in already: a record is compared with both when it arrives.

create table design_asset (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null references project,
    asset_key text not null check (asset_key <> ''),
    kind text not null default '',
    expected jsonb not null default '{}' check (jsonb_typeof(expected) = 'object'),
    lat double precision check (lat between -90 and 90),
    lon double precision check (lon between -180 and 180),
    tolerance_m double precision not null default 50 check (tolerance_m between 0 and 1e6),
    unique (project_id, asset_key),
    check ((lat is null) = (lon is null))
);
comment on table design_asset is 'One thing that a project plans to have built, by the key that crews send as `asset`.';
comment on column design_asset.expected is 'Planned values by name, such as {"model": …, "length_m": …, "counts": {…}, "serials": […]}; a form''s rules say which field each is compared with.';
comment on column design_asset.tolerance_m is 'Metres around lat, lon within which a record is of this asset.';

alter table asbuilt_record add column design_snapshot jsonb;
comment on column asbuilt_record.design_snapshot is 'The planned values that the record was compared with, as they were then.';

create table record_serial (
    project_id uuid not null references project,
    serial text not null check (serial <> ''),
    record_id uuid not null references asbuilt_record,
    field text not null,
    primary key (project_id, serial, record_id)
);
create index record_serial_record on record_serial (record_id);
comment on table record_serial is 'Serial numbers that records report as built in: letters and digits only, in capitals.';
