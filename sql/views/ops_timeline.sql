create or replace view ops.timeline as
select e.at, j.record_id, e.job_id, e.seq, e.kind, e.data ->> 'state' as state,
       case when (select sees_people()) then e.actor else actor_kind(e.actor) end as actor, null::text as reason,
       case when (select sees_people()) then e.data else plain_facts(e.data) end as data
  from job_event as e join automation_job as j on j.id = e.job_id
union all
select a.at, a.record_id, a.job_id, null, a.action, a.after ->> 'state',
       case when (select sees_people()) then a.actor else actor_kind(a.actor) end, case when (select sees_people()) then nullif(a.reason, '') end,
       case when (select sees_people()) then a.after - 'fields' else plain_facts(a.after) end
  from audit_event as a;
comment on view ops.timeline is 'What happened, in time: every change of a job, and every act of a person. Filter by record_id or job_id, order by at, seq.';
comment on column ops.timeline.seq is 'Number of the change in its job, dense from 1; null for an act.';
comment on column ops.timeline.kind is 'created, state, media or changed; of an act its name, as job.retry.';
comment on column ops.timeline.state is 'What the job was afterwards.';
comment on column ops.timeline.actor is 'user:… or device:… through the API, a process by its name, else the database''s user; for members of asbuilt_readonly only its kind, and no reason.';
comment on column ops.timeline.data is 'The job as the API showed it afterwards.';
