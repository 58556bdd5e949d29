-- The demo portal's own tables: the fictional customer's system, apart from everything of ours and linked to none of it.
-- Applied at every start of the portal. A session signs in an account; an account fills drafts page by page and adds
-- uploads; a submit request turns a draft into a submission with a confirmation number. Quirks is how badly it behaves.

create schema if not exists demo_portal;

create table if not exists demo_portal.account (
  name       text primary key,
  salt       bytea not null,
  hash       bytea not null,
  changed_at timestamptz not null default now()
);

create table if not exists demo_portal.session (
  token_hash bytea primary key,
  account    text not null references demo_portal.account on delete cascade,
  requests   integer not null default 0,
  opened_at  timestamptz not null default clock_timestamp()
);
create index if not exists session_account on demo_portal.session (account);

create table if not exists demo_portal.draft (
  id           bigint generated always as identity primary key,
  account      text not null references demo_portal.account,
  keyed        jsonb not null default '{}',
  saved        text[] not null default '{}' check (saved <@ array['job', 'details', 'photos']),
  findings     jsonb not null default '[]',
  created_at   timestamptz not null default clock_timestamp(),
  changed_at   timestamptz not null default clock_timestamp(),
  submitted_at timestamptz
);
create index if not exists draft_account on demo_portal.draft (account, id desc);

create table if not exists demo_portal.upload (
  id          bigint generated always as identity primary key,
  draft       bigint not null references demo_portal.draft on delete cascade,
  name        text not null check (name <> ''),
  media_type  text not null,
  size        bigint not null check (size > 0),
  sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  width       integer not null check (width > 0),
  height      integer not null check (height > 0),
  taken_at    text,
  thumb       bytea not null,
  large       bytea not null,
  received_at timestamptz not null default clock_timestamp(),
  unique (draft, name)
);

-- Starts at 101, so that the first number on a fresh portal does not look like a placeholder.
create sequence if not exists demo_portal.submission_number start 101;

-- No unique reference: whether a second submission of one reference is refused is a switch, as it is at real portals.
create table if not exists demo_portal.submission (
  confirmation text primary key check (confirmation ~ '^NPL-\d{4}-\d{6,}$'),
  reference    text not null check (reference <> ''),
  draft        bigint not null references demo_portal.draft,
  account      text not null references demo_portal.account,
  keyed        jsonb not null,
  photos       integer not null check (photos >= 0),
  fence        bigint,
  submitted_at timestamptz not null default clock_timestamp()
);
create index if not exists submission_reference on demo_portal.submission (reference, submitted_at);

create table if not exists demo_portal.quirks (
  one        boolean primary key default true check (one),
  preset     text not null,
  switches   jsonb not null,
  changed_at timestamptz not null default clock_timestamp()
);
comment on table demo_portal.quirks is 'One row: the switches of the portal''s bad habits. An UPDATE here works at the next request.';
