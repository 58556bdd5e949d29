create or replace view ops.stuck as
with live as (
    select j.*, q.status::text as queue_status, a.lease_until, a.started_at as attempt_started_at, a.worker
      from automation_job as j
      left join procrastinate_jobs as q on q.id = j.queue_job_id
      left join automation_attempt as a on a.job_id = j.id and a.ended_at is null
     where j.state in ('awaiting_media', 'held', 'queued', 'processing', 'retrying', 'needs_input'))
select l.id, l.record_id, p.code as project, l.external_ref, l.state, l.wait_reason, s.since, now() - s.since as age, s.why, s.hint
  from live as l
  join project as p on p.id = l.project_id
 cross join lateral (
    select l.changed_at as since, 'it has no queue row' as why,
           'a worker''s next sweep gives it one; if none does: select * from ops.workers' as hint
     where l.queue_status is null or l.queue_status not in ('todo', 'doing') and l.state <> 'processing'
    union all
    select l.lease_until, format('its worker %s has stopped renewing its lease', l.worker),
           'another worker takes it over with its next sweep; if none does: select * from ops.workers'
     where l.state = 'processing' and l.lease_until < clock_timestamp() - interval '30 seconds'
    union all
    select l.attempt_started_at, 'this attempt has run for over ten minutes',
           format('select * from ops.attempts where job_id = %L; to stop it: select ops.cancel(%L, ''why'')', l.id, l.id)
     where l.state = 'processing' and l.attempt_started_at < now() - interval '10 minutes' and l.lease_until >= clock_timestamp()
    union all
    select case l.state when 'retrying' then l.ready_at else coalesce(l.queued_at, l.changed_at) end, 'it is ready, and no worker takes it',
           'select * from ops.workers: is one alive, with a place free?'
     where (l.state = 'queued' and l.wait_reason is null and coalesce(l.ready_at, l.queued_at, l.changed_at) < now() - interval '5 minutes'
            or l.state = 'retrying' and l.ready_at < now() - interval '5 minutes') and l.queue_status = 'todo'
    union all
    select coalesce(l.queued_at, l.changed_at), format('its portal account lets it in no more: %s', l.wait_reason),
           'select * from ops.portals; to let it go on: select ops.resume_portal(portal, ''why'') or ops.set_limit'
     where (l.state = 'queued' and l.wait_reason is not null or l.state = 'held' and l.wait_reason in ('paused', 'login', 'recipe_paused'))
       and coalesce(l.queued_at, l.changed_at) < now() - interval '1 hour'
    union all
    select l.changed_at, format('it waits for a person: %s', l.wait_reason),
           case l.wait_reason when 'outcome_unknown' then format('look at the portal for %s, then: select ops.answer_outcome(%L, …)', l.external_ref, l.id)
                when 'approval' then format('select ops.approve(%L, true, ''why'')', l.id)
                else format('select * from ops.questions where job_id = %L', l.id) end
     where l.state = 'needs_input' and l.changed_at < now() - interval '1 hour'
    union all
    select l.changed_at, format('it is held: %s', l.wait_reason),
           case when l.wait_reason in ('hold', 'portal_down') then format('select ops.release(%L, ''why'')', l.id)
                when l.wait_reason in ('blocker', 'media_overdue') then 'its findings are mended by the crew, or waived: ops.waive'
                when l.wait_reason in ('review', 'sent_back') then 'the office decides: ops.review'
                else 'it goes on by itself when its photos are checked; if it does not: select * from ops.workers' end
     where l.state = 'held' and l.wait_reason not in ('paused', 'login', 'recipe_paused') and l.changed_at < now() - interval '1 day'
    union all
    select l.created_at, 'photos that were announced have not come for a day', 'the crew sends them, or corrects the record'
     where l.state = 'awaiting_media' and l.created_at < now() - interval '1 day') as s;
comment on view ops.stuck is 'Jobs that have not gone on for longer than is usual, with why and what to do. Empty on a good day; the oldest first: order by since.';
comment on column ops.stuck.since is 'Since when it does not go on.';
comment on column ops.stuck.why is 'What it waits for. Ready for 5 minutes, at a portal''s door or with a person for an hour, held or without photos for a day, running for 10 minutes.';
comment on column ops.stuck.hint is 'What to look at, or the act that lets it go on.';
