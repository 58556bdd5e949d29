-- The text that a record is found by: its names and ids, then every text in its fields. Of a text with signs in it, such as a serial
-- number, also the letters and digits alone, since people type it either way. Long notes are searched in their beginning only.
create or replace function record_line_text(r asbuilt_record) returns text language sql stable as $$
    select left(lower(concat_ws(' ', '', r.asset_key, r.crew, r.external_ref,
        (select case when j.times > 1 then (select string_agg(nth_ref(r.external_ref, n), ' ') from generate_series(2, j.times) as n) end
           from automation_job as j where j.record_id = r.id order by j.created_at desc limit 1), r.id, p.code, r.form_key,
        (select string_agg(case when length(v) between 4 and 60 and v ~ '[^[:alnum:]]' and v ~ '[[:digit:]]'
                                then v || ' ' || regexp_replace(v, '[^[:alnum:]]', '', 'g') else v end, ' ')
           from (select distinct n #>> '{}' as v from jsonb_path_query(r.fields, 'strict $.**') as n
                  where jsonb_typeof(n) = 'string') as texts))), 4000)
      from project as p where p.id = r.project_id
$$;
