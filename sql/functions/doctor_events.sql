-- ops.doctor on events: numbered without a gap, ending in what the job is, by transitions that exist. A terminal state is left
-- only by a person, whose act is on record: what is completed by ops.run_again, the others by ops.retry.
create or replace function doctor_events() returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text)
language sql stable as $$
    with legal (before, after) as (values
        ('awaiting_media', '{held,queued,cancelled}'::text[]),
        ('held', '{awaiting_media,queued,cancelled}'),
        ('queued', '{awaiting_media,held,processing,failed,needs_input,cancelled}'),
        ('processing', '{held,queued,retrying,needs_input,completed,failed,cancelled}'),
        ('retrying', '{awaiting_media,held,queued,processing,failed,needs_input,cancelled}'),
        ('needs_input', '{awaiting_media,held,queued,completed,failed,cancelled}'),
        ('completed', '{awaiting_media,held,queued}'),
        ('failed', '{awaiting_media,held,queued}'),
        ('cancelled', '{awaiting_media,held,queued}')),
    told as (
        select e.job_id, e.seq, e.data ->> 'state' as state,
               lag(e.data ->> 'state') over (partition by e.job_id order by e.seq) as before
          from job_event as e),
    sums as (
        select t.job_id, count(*) as n, max(t.seq) as last, (array_agg(t.state order by t.seq desc))[1] as state,
               count(*) filter (where t.before in ('failed', 'cancelled') and t.state <> t.before) as revived,
               count(*) filter (where t.before = 'completed' and t.state <> t.before) as again
          from told as t group by t.job_id)
    select 'S0', j.id, j.record_id, format('%s events numbered to %s; the job says %s', coalesce(n, 0), coalesce(last, 0), j.seq),
           'events were edited by hand: renew stream_epoch, so that every page reads anew'
      from automation_job as j left join sums on sums.job_id = j.id
     where (n, last) is distinct from (last::bigint, j.seq)
    union all
    select 'J5', j.id, j.record_id, format('the last event says %s; the job is %s', sums.state, j.state),
           'one of the two was edited with triggers off'
      from automation_job as j join sums on sums.job_id = j.id where sums.state <> j.state
    union all
    select 'J4', j.id, j.record_id, format('event %s leads from %s to %s', t.seq, t.before, t.state), 'the job was edited by hand'
      from told as t join automation_job as j on j.id = t.job_id
     where t.before <> t.state and not exists (select from legal where legal.before = t.before and t.state = any(legal.after))
    union all
    select 'J4', j.id, j.record_id,
           format('the job left an end %s times, %s of them by a person; it was to be submitted %s times', revived + again,
                  retried + rerun, j.times),
           'the job was edited by hand'
      from sums join automation_job as j on j.id = sums.job_id
      cross join lateral (
        select count(*) filter (where a.action = 'job.retry') as retried, count(*) filter (where a.action = 'job.run_again') as rerun
          from audit_event as a where a.job_id = j.id) as by
     where revived > retried or again > rerun or again <> j.times - 1
$$;
