-- A change of what is kept how long is on record, whoever made it: with its owner's rights, since an operator who may type the
-- UPDATE may not write into the audit.
create or replace function retention_changed() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
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
