create or replace view ops.workers as
select w.name as worker,
       case when w.ended_at is not null then 'ended'
            when w.seen_at < clock_timestamp() - make_interval(secs => greatest(3 * w.beat_s, 5)) then 'lost'
            when w.draining_at is not null then 'draining' else 'alive' end as state,
       w.version, w.places, coalesce(a.busy, 0) as busy, w.started_at, w.seen_at, w.draining_at, w.ended_at
  from worker as w
  left join (select worker, count(*) as busy from automation_attempt where ended_at is null group by worker) as a
    on a.worker = w.name;
comment on view ops.workers is 'Workers of the last day. Without one that is alive, nothing runs.';
comment on column ops.workers.worker is 'host:process, as in ops.attempts.';
comment on column ops.workers.state is 'alive; draining: told to stop, and ending its runs; ended: by itself; lost: three signs of life are missing.';
comment on column ops.workers.places is 'Runs that it does at once.';
comment on column ops.workers.busy is 'Attempts that it runs; those of a lost one are taken over when their leases are over.';
