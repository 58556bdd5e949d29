-- Where the same bytes are a photo of another record already, but for those named; null when nowhere. A record of another
-- project is not named: whoever sends a photo may see their own project only.
create or replace function photo_elsewhere(p_sha256 bytea, p_project uuid, p_besides uuid[]) returns jsonb
language sql stable as $$
    select case when r.project_id = p_project
                then jsonb_build_object('sha256', encode(p_sha256, 'hex'), 'id', r.id, 'reference', r.external_ref,
                    'name', p.name)
                else jsonb_build_object('sha256', encode(p_sha256, 'hex')) end
      from photo as p join asbuilt_record as r on r.id = p.record_id
     where p.blob_sha256 = p_sha256 and p.record_id <> all(p_besides) and r.deleted_at is null
       and r.review_state <> 'rejected'
     limit 1
$$;
