-- Queue rows that still say doing although their attempt is settled: the finish was lost on the way.
create or replace function reconcile_unfinished(p_grace_s float8) returns setof uuid language sql as $$
    with spent as (
        select q.id, a.job_id, a.outcome
          from procrastinate_jobs as q join automation_attempt as a on a.queue_job_id = q.id
         where q.status = 'doing' and a.ended_at < clock_timestamp() - make_interval(secs => p_grace_s)
         limit 200 for update of q skip locked)
    update procrastinate_jobs as q
       set attempts = attempts + 1, status = (case when spent.outcome in ('completed', 'parked') then 'succeeded'
                          when spent.outcome = 'failed' then 'failed' else 'aborted' end)::procrastinate_job_status
      from spent where q.id = spent.id
    returning spent.job_id
$$;
