-- Where records are keyed in: the customers' portals and the accounts we use there.
-- Accounts name their credentials; the secrets themselves stay with the automation service.

create table portal (
    key text primary key check (key ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    name text not null,
    url text not null default '',
    recipe text not null,
    recipe_version int not null check (recipe_version > 0)
);
comment on column portal.url is 'Base address for people, shown as a link beside a job.';
comment on column portal.recipe is 'Name of the recipe the automation service runs.';

create table portal_account (
    id uuid primary key default gen_random_uuid(),
    portal_key text not null references portal,
    label text not null,
    unique (portal_key, label)
);
comment on column portal_account.label is 'The name under which the automation service holds the credentials.';

alter table project add column portal_account_id uuid references portal_account;
create index project_portal_account on project (portal_account_id);
