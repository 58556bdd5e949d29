-- Findings of the checks on one revision; a finding already known is left as it is.
create or replace function add_defects(p_record uuid, p_revision int, p_defects jsonb) returns void language sql as $$
    insert into defect (record_id, revision, rule, severity, field, photo, message, evidence)
    select p_record, p_revision, d.rule, d.severity, d.field, d.photo, d.message, coalesce(d.evidence, '{}')
      from jsonb_to_recordset(p_defects) as d (rule text, severity text, field text, photo text, message text, evidence jsonb)
    on conflict do nothing
$$;
