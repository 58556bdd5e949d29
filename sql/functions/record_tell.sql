-- Tell open pages that something about a record has changed which no job's event tells: its content, review, findings, photos,
-- comments; whoever changed it. A page reads the record anew, so it needs no more than its id. Takes no lock.
create or replace function record_tell() returns trigger language plpgsql as $$
declare
    changed jsonb := to_jsonb(case tg_op when 'DELETE' then old else new end);
begin
    perform pg_notify('asbuilt_record', jsonb_build_object('record', r.id, 'project', r.project_id, 'device', r.device_id)::text)
       from asbuilt_record as r
      where r.id = (case tg_table_name when 'asbuilt_record' then changed ->> 'id' else changed ->> 'record_id' end)::uuid;
    return null;
end $$;

-- Not at an upload's own inserts, of which its job's first event tells; nor at what only the housekeeping notes.
create or replace trigger record_tell
    after update of asset_key, crew, revision, fields, lat, lon, h_accuracy_m, captured_at, review_state, review_note, media_state, deleted_at
    on asbuilt_record for each row execute function record_tell();
create or replace trigger record_tell
    after update of name, shot_key, kind, blob_sha256, rejected_reason, received_at, width, height, taken_at, lat, lon or delete
    on photo for each row execute function record_tell();
create or replace trigger record_tell after update or delete on defect for each row execute function record_tell();
create or replace trigger record_tell after insert or update or delete on comment for each row execute function record_tell();
