-- With what somebody acted: a login may be shared, and psql, a script and a person's desk sign in to it alike.
alter table audit_event add column program text;
-- A second statement: what is on record already was not done by this migration.
alter table audit_event alter column program set default nullif(current_setting('application_name', true), '');
comment on column audit_event.program is 'What the session said it is (application_name), unproven; null before it was kept.';
