-- The audit is read by people, newest first: their acts are few among the uploads, which are on record there too.
create index audit_event_acts on audit_event (project_id, id) where action <> 'record.upload';
