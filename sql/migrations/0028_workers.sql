-- Who works: each worker says every few seconds that it is there, what it is and whether it drains. Procrastinate's own table
-- has a number and a heartbeat only, and forgets a worker as soon as it is taken for dead: nobody would learn that it was lost.
create table worker (
    name text primary key,
    version text not null,
    places int not null check (places > 0),
    beat_s float8 not null check (beat_s > 0),
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    draining_at timestamptz,
    ended_at timestamptz
);
comment on table worker is 'Workers of the last day, by the name that attempts carry; ops.workers says of each whether it is alive.';
comment on column worker.places is 'Runs that it does at once.';
comment on column worker.beat_s is 'Seconds between two signs of life.';
comment on column worker.ended_at is 'It ended of its own accord; one without, that is not seen any more, is lost.';
