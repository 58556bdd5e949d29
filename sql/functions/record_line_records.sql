-- A record's line in the lists, made and changed with the record; a record that is deleted has none.
create or replace function record_line_records() returns trigger language plpgsql as $$
begin
    if new.deleted_at is not null then
        delete from record_line where record_id = new.id;
        return null;
    end if;
    insert into record_line (record_id, project_id, received_at, captured_at, review_state, job_state, portal_key, severity, search)
    select new.id, new.project_id, new.received_at, new.captured_at, new.review_state, f.job_state, f.portal_key, f.severity,
           record_line_text(new)
      from record_line_facts(new.id) as f
    on conflict (record_id) do update
       set captured_at = excluded.captured_at, review_state = excluded.review_state, search = excluded.search;
    return null;
end $$;

create or replace trigger record_line_new after insert on asbuilt_record
    for each row execute function record_line_records();
create or replace trigger record_line_changed
    after update of asset_key, crew, fields, captured_at, review_state, deleted_at on asbuilt_record
    for each row execute function record_line_records();
