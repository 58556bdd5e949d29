-- The serial numbers that a record reports now, as [{serial, field}]; those of an earlier revision go.
create or replace function set_serials(p_project uuid, p_record uuid, p_serials jsonb) returns void language sql as $$
    delete from record_serial where record_id = p_record;
    insert into record_serial (project_id, serial, record_id, field)
    select p_project, s.serial, p_record, s.field
      from jsonb_to_recordset(coalesce(p_serials, '[]')) as s (serial text, field text)
    on conflict do nothing
$$;
