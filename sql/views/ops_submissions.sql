create or replace view ops.submissions as
select s.job_id, j.record_id, p.code as project, s.portal_key as portal, s.external_ref, s.external_ref = j.external_ref as present,
       s.state, s.confirmation, s.confirmed_by, s.attempt, s.intents, s.intent_at
  from portal_submission as s join automation_job as j on j.id = s.job_id join project as p on p.id = j.project_id;
comment on view ops.submissions is 'What was submitted to the portals, one row a reference: a job that was run again has several. Filter by job_id or record_id.';
comment on column ops.submissions.present is 'It is the job''s latest; the others are from before it was run again.';
comment on column ops.submissions.state is 'intent: sent, and it is not proven yet what became of it; confirmed: the portal has it; absent: the portal has it not.';
comment on column ops.submissions.confirmed_by is 'Who knew: the page that was shown after it, a look-up at the portal (lookup), or a person.';
comment on column ops.submissions.attempt is 'The attempt that submitted it, or found out last.';
comment on column ops.submissions.intents is 'How often it was about to be sent.';
comment on column ops.submissions.intent_at is 'When it was about to be sent last.';
