-- A change of what is kept how long is on record, whoever made it.
create or replace function retention_changed() returns trigger language plpgsql as $$
begin
    insert into audit_event (actor, action, reason, before, after)
    values (actor(), 'retention.set', coalesce(current_setting('asbuilt.reason', true), ''),
            jsonb_build_object('what', old.what, 'outcome', old.outcome, 'keep', old.keep, 'enabled', old.enabled),
            jsonb_build_object('what', new.what, 'outcome', new.outcome, 'keep', new.keep, 'enabled', new.enabled));
    return null;
end $$;

create or replace trigger retention_changed after update of keep, enabled on retention for each row
    when (new.keep <> old.keep or new.enabled <> old.enabled)
    execute function retention_changed();
