create or replace view ops.audit as
select a.id, a.at, case when (select sees_people()) then a.actor else actor_kind(a.actor) end as actor, a.action,
       case when (select sees_people()) then nullif(a.reason, '') end as reason, p.code as project, a.record_id, r.external_ref, a.job_id,
       case when (select sees_people()) then a.before - 'fields' else plain_facts(a.before) end as before,
       case when (select sees_people()) then a.after - 'fields' else plain_facts(a.after) end as after,
       case when (select sees_people()) then a.program end as program
  from audit_event as a
  left join project as p on p.id = a.project_id
  left join asbuilt_record as r on r.id = a.record_id;
comment on view ops.audit is 'Who did what, and why: every act of a person, a phone or a process that decides. Newest first: order by id desc. It is only added to. Members of asbuilt_readonly see what was done and by what kind of actor, not who, why and in whose words.';
comment on column ops.audit.actor is 'user:… or device:… through the API, a process by its name, else whoever signed in to the database.';
comment on column ops.audit.action is 'As job.retry, portal.pause, record.correct; where action like ''job.%''.';
comment on column ops.audit.before is 'What it was about, before: the job as the API shows it, or what was changed. A record''s fields are left out.';
comment on column ops.audit.after is 'The same afterwards; before and after are null where nothing was there.';
comment on column ops.audit.program is 'What the session said it is: psql, asbuilt-web, or what somebody gave as PGAPPNAME. Anybody can say anything; the actor is proven.';
