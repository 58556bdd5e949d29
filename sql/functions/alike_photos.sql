-- What is to be said of a photo and those that near_photos finds: the nearest earlier one on this photo, and this one on later ones that
-- were compared before it had been stored. By the form of the later one's record; a sweep holds no job, so never as a blocker.
create or replace function alike_photos(p photo) returns table (record_id uuid, photo text, finding jsonb)
language sql stable as $$
    with near as (
        select n.*, (n.received_at, n.id) < (p.received_at, p.id) as earlier from near_photos(p, 4) as n),
    said as (
        (select p.id as late, n.id as early, n.bits, n.same from near as n where n.earlier order by n.bits, n.received_at limit 1)
        union all
        (select n.id, p.id, n.bits, n.same from near as n where not n.earlier and n.compared limit 20))
    select l.record_id, l.name, jsonb_build_object(
               'rule', 'photo-reused', 'severity', case v.severity when 'blocker' then 'major' else v.severity end,
               'photo', l.name,
               'message', format('Photo “%s” (%s) %s record %s, as %s.', coalesce(v.label, l.shot_key), l.name,
                   case when said.same then 'was sent already with' else 'looks the same as one of' end, o.external_ref, e.name),
               'evidence', jsonb_build_object('record', o.id, 'reference', o.external_ref, 'name', e.name)
                   || case when said.same then jsonb_build_object('sha256', encode(e.blob_sha256, 'hex'))
                           else jsonb_build_object('bits', said.bits) end)
      from said
      join photo as l on l.id = said.late
      join asbuilt_record as r on r.id = l.record_id
      join form_def as f on f.form_key = r.form_key and f.version = r.form_version
      join photo as e on e.id = said.early
      join asbuilt_record as o on o.id = e.record_id
     cross join lateral (
        select coalesce(f.rules #>> '{severity,photo-reused}', case when said.same then 'major' else 'minor' end) as severity,
               (select s ->> 'label' from jsonb_array_elements(f.shots) as s where s ->> 'key' = l.shot_key limit 1) as label) as v
     where v.severity <> 'off' and said.bits <= coalesce((f.rules ->> 'photo_near_bits')::float8, 4)
$$;
