-- What people say to each other about a record, and what each revision of it held beside its fields.
create table comment (
    id uuid primary key default gen_random_uuid(),
    record_id uuid not null references asbuilt_record,
    author text not null,
    text text not null check (btrim(text) <> '' and char_length(text) <= 2000),
    at timestamptz not null default clock_timestamp()
);
create index comment_record on comment (record_id, at, id);
comment on table comment is 'What people say about a record: plain text, never changed.';

alter table record_revision add column content jsonb not null default '{}' check (jsonb_typeof(content) = 'object');
comment on column record_revision.content is
    'The rest of this revision: asset, crew, form, position, times and photos {name: {shot, kind, sha256}}; empty where it was not kept.';
