-- What a revision holds beside its fields, as the record and its photos stand in this transaction.
create or replace function revision_content(r asbuilt_record) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'asset', r.asset_key, 'crew', r.crew, 'form', format('%s %s', r.form_key, r.form_version), 'captured_at', r.captured_at,
        'position', case when r.lat is not null then jsonb_strip_nulls(jsonb_build_object(
            'lat', r.lat, 'lon', r.lon, 'h_accuracy_m', r.h_accuracy_m, 'altitude_m', r.altitude_m)) end,
        'photos', (select coalesce(jsonb_object_agg(p.name, jsonb_build_object('shot', p.shot_key, 'kind', p.kind,
                        'sha256', encode(coalesce(p.blob_sha256, p.declared_sha256), 'hex'))), '{}')
                     from photo as p where p.record_id = r.id))
$$;
