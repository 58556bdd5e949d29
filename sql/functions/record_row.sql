-- A record as lists show it, with its photo and defect counts and its latest job.
-- With its owner's rights: who was shown the record may see what belongs to it, and policies asked again for each row of a page would make
-- a list a third slower.
create or replace function record_row(r asbuilt_record) returns jsonb
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_build_object(
        'id', r.id, 'project', p.code, 'form_key', r.form_key, 'form_version', r.form_version, 'form_title', f.title,
        'asset_key', r.asset_key, 'external_ref', r.external_ref, 'crew', r.crew, 'device', d.label,
        'revision', r.revision, 'review_state', r.review_state, 'media_state', r.media_state,
        'received_at', r.received_at, 'captured_at', r.captured_at, 'lat', r.lat, 'lon', r.lon,
        'photos', (select jsonb_build_object('expected', count(*), 'received', count(received_at))
                     from photo where record_id = r.id),
        'defects', (select jsonb_build_object(
                        'blocker', count(*) filter (where severity = 'blocker'),
                        'major', count(*) filter (where severity = 'major'),
                        'minor', count(*) filter (where severity = 'minor'),
                        'info', count(*) filter (where severity = 'info'))
                      from defect where record_id = r.id and status = 'open'),
        'job', (select job_view(j) from automation_job as j where j.record_id = r.id order by j.created_at desc limit 1))
    from project as p, form_def as f, device as d
    where p.id = r.project_id and f.form_key = r.form_key and f.version = r.form_version and d.id = r.device_id
$$;
