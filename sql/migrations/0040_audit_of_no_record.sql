-- What was done to a record or a job is its history, and kept as long as they are: timelines show it, and the doctor counts it. Of the
-- audit goes the rest: acts on portals, projects and policies. Few among the uploads, so that they have an index of their own.
create index audit_event_elsewhere on audit_event (id) where record_id is null and job_id is null;
update retention set note = 'who did what to portals, projects and policies; what was done to a record or a job stays with it'
 where what = 'audit';
