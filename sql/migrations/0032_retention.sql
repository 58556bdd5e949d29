-- How long rows are kept that are not the history of the work, by what they are and how it ended. A policy is a row: an operator
-- changes it with an UPDATE, or with ops.set_retention, which says why. Records, jobs, attempts, steps and timelines are kept.

create table retention (
    what text not null,
    outcome text not null,
    keep interval not null check (keep >= interval '0'),
    enabled boolean not null default true,
    note text not null,
    batch int not null default 200 check (batch between 10 and 10000),
    last_at timestamptz,
    last_removed int not null default 0,
    last_ms float8 not null default 0,
    longest_ms float8 not null default 0,
    removed bigint not null default 0,
    primary key (what, outcome),
    -- An upload may take so long from its bytes to their row.
    constraint retention_of_uploads_in_progress check (what <> 'file' or keep >= interval '30 min')
);
comment on table retention is 'What is removed, how long after its end. A row that is not enabled removes nothing.';
comment on column retention.keep is 'Kept for so long, by the database''s clock. An UPDATE counts from the next round.';
comment on column retention.batch is 'Rows removed in one transaction; halves and doubles itself so that one takes at most 50 ms.';
comment on column retention.last_at is 'When the last round began.';
comment on column retention.last_ms is 'Time that its batches took, all in all.';
comment on column retention.longest_ms is 'Time of its longest batch: how long anything was locked by it.';
comment on column retention.removed is 'Since ever.';

insert into retention (what, outcome, keep, note) values
    ('queue row', 'completed', '24 hours', 'Procrastinate''s rows and events of work that went well; jobs, attempts and timelines stay'),
    ('queue row', 'failed', '7 days', 'the same, of what failed, was cancelled or aborted');

-- When a queue row ended is known from its events. One index for each outcome: what is kept longer must not stand before what is due.
create index procrastinate_events_well on procrastinate_events (at) where type = 'succeeded';
create index procrastinate_events_ill on procrastinate_events (at) where type in ('failed', 'cancelled', 'aborted');
