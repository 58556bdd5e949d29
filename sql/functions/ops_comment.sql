-- A comment of whoever acts: its own record of who said what and when, so it has no reason and no row in the audit. Raises AB404 and AB422 (nothing said, or too much).
create or replace function ops.comment(p_record uuid, p_text text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    said comment;
begin
    if not exists (select from asbuilt_record where id = p_record and deleted_at is null and in_sight(project_id)) then
        raise exception using errcode = 'AB404', message = format('there is no record %s', p_record),
            hint = 'select id, external_ref from ops.records';
    elsif btrim(coalesce(p_text, ''), E' \t\r\n') = '' or char_length(p_text) > 2000 then
        raise exception using errcode = 'AB422', message = 'a comment has 1 to 2,000 characters',
            hint = 'say more of it in a second one';
    end if;
    insert into comment (record_id, author, text) values (p_record, actor(), btrim(p_text, E' \t\r\n')) returning * into said;
    return to_jsonb(said) - 'record_id';
end $$;
comment on function ops.comment(uuid, text) is 'Say something about a record to everybody who looks at it. It is never changed.';
