-- ops.doctor on jobs: each live one is carried by one queue row in the right place, and waits for something that can come.
create or replace function doctor_jobs(p_grace_s float8)
returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text) language sql stable as $$
    with live as (
        select j, q, place_of(j.state, j.wait_reason) as place,
               clock_timestamp() - make_interval(secs => p_grace_s) as since
          from automation_job as j left join procrastinate_jobs as q on q.id = j.queue_job_id
         where j.state not in ('processing', 'completed', 'failed', 'cancelled'))
    select 'J1', (j).id, (j).record_id, format('the job is %s and no live queue row carries it', (j).state),
           'a worker''s next sweep gives it one; is a worker alive?'
      from live where not carries(q, (j).id)
    union all
    select 'J1', (j).id, (j).record_id, format('the job is %s and its queue row stands in queue %s', (j).state, (q).queue_name),
           format('update procrastinate_jobs set queue_name = %L where id = %s', place, (q).id)
      from live
     where carries(q, (j).id) and (q).queue_name <> place and not ((j).state = 'retrying' and (q).queue_name = 'automation')
    union all
    select 'J1', (j).id, (j).record_id, format('the job was due %s and nobody made it run', (j).ready_at), 'is a worker alive?'
      from live where (j).state = 'retrying' and (j).ready_at < since and (q).queue_name = 'waiting'
    union all
    select 'J1', (j).id, (j).record_id, 'a worker fetched the job and never claimed it',
           'a worker''s next sweep gives it a new queue row; is a worker alive?'
      from live
     where (q).status = 'doing' and (j).changed_at < since
       and not exists (select from procrastinate_events as e where e.job_id = (q).id and e.type = 'started' and e.at > since)
    union all
    select 'J1', (j).id, (j).record_id, 'the job awaits photos and none is outstanding', 'select ops.cancel and ops.retry it'
      from live
     where (j).state = 'awaiting_media' and record_needs((j).record_id) is distinct from 'media'
    union all
    select 'J1', (j).id, (j).record_id, 'the job is held for photos that have not come and none is outstanding',
           'select ops.cancel and ops.retry it'
      from live
     where (j).wait_reason = 'media_overdue' and record_needs((j).record_id) is distinct from 'media_overdue'
    union all
    select 'J1', (j).id, (j).record_id, 'the job waits for the office, which has decided',
           format('select ops.review(%L, ''approved'', ''why'')', (j).record_id)
      from live
     where (j).state = 'held' and (j).wait_reason in ('review', 'sent_back')
       and record_needs((j).record_id) is distinct from (j).wait_reason
    union all
    select 'J1', (j).id, (j).record_id, format('its photos were due %s and nobody said so', r.media_due_at), 'is a worker alive?'
      from live join asbuilt_record as r on r.id = (j).record_id where r.media_due_at < since
    union all
    select 'J1', (j).id, (j).record_id, 'the job is held by a blocker and none is open', 'select ops.cancel and ops.retry it'
      from live
     where (j).state = 'held' and (j).wait_reason = 'blocker'
       and not exists (select from defect as d where d.record_id = (j).record_id and d.severity = 'blocker' and d.status = 'open')
$$;
