-- The state of a record's review as everybody outside sees it.
create or replace function review_view(r asbuilt_record) returns jsonb language sql stable as $$
    select jsonb_build_object('state', r.review_state, 'note', r.review_note, 'by', r.reviewed_by, 'at', r.reviewed_at,
                              'version', r.version, 'revision', r.revision)
$$;
