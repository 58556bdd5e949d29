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

-- Locked after so many wrong passwords in a row; every n-th sign-in asks for more than the password.
alter table demo_portal.account
  add column if not exists sign_ins  integer not null default 0,
  add column if not exists failed    integer not null default 0,
  add column if not exists locked_at timestamptz;

create table if not exists demo_portal.session (
  token_hash bytea primary key,
  account    text not null references demo_portal.account on delete cascade,
  requests   integer not null default 0,
  opened_at  timestamptz not null default clock_timestamp()
);
-- What the visitor still has to answer before the session is worth anything, in order: code, word.
alter table demo_portal.session
  add column if not exists awaiting text[] not null default '{}',
  add column if not exists wrong    integer not null default 0;
create index if not exists session_account on demo_portal.session (account);

-- The account holder's phone, and what a person would read off a picture: one-time codes and words.
create table if not exists demo_portal.message (
  id         bigint generated always as identity primary key,
  token_hash bytea not null,
  account    text not null references demo_portal.account on delete cascade,
  kind       text not null check (kind in ('code', 'word')),
  body       text not null,
  sent_at    timestamptz not null default clock_timestamp(),
  used_at    timestamptz
);
create index if not exists message_session on demo_portal.message (token_hash, kind, id desc);

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

-- The second company, Harbor Fiber Cooperative: apart from the first as two customers would be. No look-up, no list of
-- what was sent: a close-out that was sent is gone for its crew, and a second one of the same reference is taken as well.
create table if not exists demo_portal.harbor_account (
  name       text primary key,
  salt       bytea not null,
  hash       bytea not null,
  changed_at timestamptz not null default now(),
  failed     integer not null default 0,
  locked_at  timestamptz
);

create table if not exists demo_portal.harbor_session (
  token_hash bytea primary key,
  account    text not null references demo_portal.harbor_account on delete cascade,
  requests   integer not null default 0,
  opened_at  timestamptz not null default clock_timestamp()
);

create table if not exists demo_portal.harbor_closeout (
  id         bigint generated always as identity primary key,
  account    text not null references demo_portal.harbor_account,
  keyed      jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  saved_at   timestamptz not null default clock_timestamp(),
  sent_at    timestamptz
);
create index if not exists harbor_closeout_open on demo_portal.harbor_closeout (account, id desc) where sent_at is null;

create table if not exists demo_portal.harbor_photo (
  id          bigint generated always as identity primary key,
  closeout    bigint not null references demo_portal.harbor_closeout on delete cascade,
  name        text not null check (name <> ''),
  size        bigint not null check (size > 0),
  sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  thumb       bytea not null,
  received_at timestamptz not null default clock_timestamp(),
  unique (closeout, name)
);

create sequence if not exists demo_portal.harbor_number start 118;

create table if not exists demo_portal.harbor_submission (
  number       text primary key check (number ~ '^HFC-\d{6,}$'),
  reference    text not null,
  closeout     bigint not null references demo_portal.harbor_closeout,
  account      text not null references demo_portal.harbor_account,
  keyed        jsonb not null,
  photos       integer not null check (photos >= 0),
  fence        bigint,
  submitted_at timestamptz not null default clock_timestamp()
);
create index if not exists harbor_submission_reference on demo_portal.harbor_submission (reference, submitted_at);

create table if not exists demo_portal.harbor_quirks (
  one        boolean primary key default true check (one),
  preset     text not null,
  switches   jsonb not null,
  changed_at timestamptz not null default clock_timestamp()
);
comment on table demo_portal.harbor_quirks is 'As demo_portal.quirks, of Harbor Fiber Cooperative.';

create or replace view demo_portal.received as
  select 'npl' as portal, confirmation, reference, photos, fence, submitted_at from demo_portal.submission
  union all
  select 'harbor', number, reference, photos, fence, submitted_at from demo_portal.harbor_submission;
comment on view demo_portal.received is 'Every submission that either portal has taken in: one reference twice is a duplicate.';
