-- Questions to people, newest first; never their answers.
create or replace view ops.questions as
select i.job_id, j.record_id, p.code as project, i.id as question, i.kind, case when (select sees_people()) then i.prompt end as prompt,
       i.asked_at, i.expires_at, i.answered_at, case when (select sees_people()) then i.answered_by else actor_kind(i.answered_by) end as answered_by, i.outcome
  from automation_input as i join automation_job as j on j.id = i.job_id join project as p on p.id = j.project_id
 order by i.asked_at desc;
comment on view ops.questions is 'Questions to people and what became of them; open while outcome is null. Members of asbuilt_readonly see no prompt, and of who answered the kind.';
