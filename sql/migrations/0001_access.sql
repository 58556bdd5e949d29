-- Who may do what, where: projects, the people in them, the devices that upload to them, and the secrets they show.
-- Secrets are stored as SHA-256 only: they are random and 256 bits long, so a slow hash would add nothing.

create table project (
    id uuid primary key default gen_random_uuid(),
    code text not null unique check (code ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    name text not null,
    customer text not null default '',
    tz text not null default 'UTC',
    boundary jsonb check (jsonb_typeof(boundary) = 'object'),
    site_lat double precision check (site_lat between -90 and 90),
    site_lon double precision check (site_lon between -180 and 180),
    site_radius_m double precision not null default 150 check (site_radius_m between 1 and 1e6),
    state text not null default 'open' check (state in ('open', 'closing', 'closed')),
    created_at timestamptz not null default now(),
    check ((site_lat is null) = (site_lon is null))
);
comment on table project is 'A customer''s piece of work: its site, its portal account and the people who may see it.';
comment on column project.boundary is 'GeoJSON Polygon or MultiPolygon of the site, WGS 84; without it the site is a circle.';
comment on column project.site_radius_m is 'Metres around site_lat, site_lon that still count as on site.';

create table app_user (
    id uuid primary key default gen_random_uuid(),
    email text not null check (email = lower(email) and email like '%_@_%'),
    name text not null,
    password_hash bytea,
    password_salt bytea,
    disabled_at timestamptz,
    created_at timestamptz not null default now(),
    unique (email),
    check ((password_hash is null) = (password_salt is null))
);
comment on table app_user is 'A person who signs in. Without a password only one-time links let them in.';

create table membership (
    user_id uuid not null references app_user on delete cascade,
    project_id uuid not null references project on delete cascade,
    role text not null check (role in ('viewer', 'reviewer', 'operator', 'admin')),
    primary key (user_id, project_id)
);
create index membership_project on membership (project_id);

create table user_session (
    secret_hash bytea primary key check (octet_length(secret_hash) = 32),
    user_id uuid not null references app_user on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index user_session_user on user_session (user_id);

create table sign_in_link (
    secret_hash bytea primary key check (octet_length(secret_hash) = 32),
    user_id uuid not null references app_user on delete cascade,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table device (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null references project,
    label text not null,
    crew text not null default '',
    disabled_at timestamptz,
    created_at timestamptz not null default now()
);
create index device_project on device (project_id);
comment on table device is 'A phone, or a program that stands in for one. It belongs to one project.';

create table access_token (
    id text primary key check (id ~ '^[A-Za-z0-9]{8}$'),
    secret_hash bytea not null check (octet_length(secret_hash) = 32),
    device_id uuid not null references device on delete cascade,
    scopes text[] not null check (scopes <@ '{upload,read,review,operate}' and cardinality(scopes) > 0),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
create index access_token_device on access_token (device_id);
comment on table access_token is 'A bearer token abk_<id>_<secret>. A device may hold two while one replaces the other.';
