-- The office's decision on a record. Sent back (has_issues, rejected) its job starts no run until the crew has corrected it or it is
-- approved; a run that may be under way goes on. Approved, a job that waited for just that goes on, in this very transaction.
-- The note is its reason; an approval may go without, as it says all there is to say.
-- Raises AB404, AB409 (approved with a blocker open), AB412 (p_version is not the record's), AB422 (no such decision, or no note).
create or replace function ops.review(p_record uuid, p_decision text, p_note text, p_version int default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job automation_job;
    r asbuilt_record;
    before jsonb;
    needs text;
begin
    if p_decision is null or p_decision not in ('approved', 'has_issues', 'rejected') then
        raise exception using errcode = 'AB422', message = 'a record is approved, has_issues or rejected',
            hint = 'ops.review(…, ''has_issues'', ''the photo of the meter is missing'')';
    elsif p_decision <> 'approved' and btrim(coalesce(p_note, ''), E' \t\r\n') = '' then
        raise exception using errcode = 'AB422', message = 'the crew has to be told what is wrong',
            hint = 'give a note; the crew reads it in its inbox';
    end if;
    -- The job first, as everywhere: of two reviewers at once, the second sees what the first has decided.
    job := lock_job((select id from automation_job where record_id = p_record order by created_at desc limit 1));
    select * into r from asbuilt_record where id = p_record and deleted_at is null and in_sight(project_id) for update;
    if r.id is null then
        raise exception using errcode = 'AB404', message = format('there is no record %s', p_record),
            hint = 'select id, external_ref from ops.records';
    elsif p_version <> r.version then
        raise exception using errcode = 'AB412',
            message = format('the record is at version %s: %s since', r.version, replace(r.review_state, '_', ' ')),
            hint = 'look at it again';
    elsif p_decision = 'approved' and exists (select from defect where record_id = p_record and severity = 'blocker' and status = 'open') then
        raise exception using errcode = 'AB409', message = 'a blocker is open: it is waived or mended first',
            hint = 'ops.waive lets a finding stand; has_issues sends the record to its crew';
    end if;
    before := review_view(r);
    update asbuilt_record
       set review_state = p_decision, review_note = btrim(coalesce(p_note, ''), E' \t\r\n'), reviewed_at = clock_timestamp(), reviewed_by = actor()
     where id = p_record returning * into r;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'record.' || p_decision, r.review_note, r.project_id, p_record, job.id, before, review_view(r));
    needs := record_needs(p_record);
    if job.wait_reason in ('review', 'sent_back') and needs is distinct from job.wait_reason then
        perform resume_job(job);
    elsif job.state in ('queued', 'retrying') and needs is not null and not under_way(job) then
        perform hold_job(job, needs);
    elsif job.state not in ('completed', 'failed', 'cancelled', 'processing') then
        -- Nothing but the event: open pages show the decision.
        update automation_job set wait_reason = job.wait_reason where id = job.id;
    end if;
    return review_view(r);
end $$;
comment on function ops.review(uuid, text, text, int) is
    'Decide on a record: approved, has_issues or rejected. A note says why; it is kept, and the crew reads it.';
