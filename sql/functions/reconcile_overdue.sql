-- Photos that were announced and have not come in time: a finding for each, and the job that waits for them is held, so that
-- somebody does something. A record whose job somebody holds just now is left for the next sweep: its photo may be coming.
create or replace function reconcile_overdue(p_now timestamptz default clock_timestamp()) returns setof uuid language plpgsql as $$
declare
    late record;
    job automation_job;
begin
    for late in
        select r.id from asbuilt_record as r where r.media_due_at <= p_now order by r.media_due_at limit 200
    loop
        job := try_lock_job((select id from automation_job where record_id = late.id order by created_at desc limit 1));
        continue when job.id is null;
        -- A correction may have announced others meanwhile.
        update asbuilt_record set media_due_at = null where id = late.id and media_due_at <= p_now;
        continue when not found;
        perform add_defects(late.id, r.revision, jsonb_build_array(jsonb_build_object(
                    'rule', 'photo-not-received', 'severity', coalesce(f.rules #>> '{severity,photo-not-received}', 'major'),
                    'photo', p.name, 'message', format(
                        'Photo “%s” (%s) was announced and has not come for %s h. Send it, or take it off the record.',
                        coalesce((select s ->> 'label' from jsonb_array_elements(f.shots) as s where s ->> 'key' = p.shot_key limit 1),
                                 p.shot_key), p.name, floor(w.waited_h)),
                    'evidence', jsonb_build_object('name', p.name, 'shot', p.shot_key, 'since', v.at, 'waited_h', w.waited_h))))
           from asbuilt_record as r
           join form_def as f on f.form_key = r.form_key and f.version = r.form_version
                and f.rules #>> '{severity,photo-not-received}' is distinct from 'off'
           join record_revision as v on v.record_id = r.id and v.revision = r.revision
           join photo as p on p.record_id = r.id and p.received_at is null
          cross join lateral (select round(extract(epoch from p_now - v.at) / 3600, 1) as waited_h) as w
          where r.id = late.id;
        if job.state = 'awaiting_media' then
            perform resume_job(job);
        elsif job.state in ('held', 'needs_input') then
            -- Nothing but the event: open pages count the findings anew.
            update automation_job set wait_reason = job.wait_reason where id = job.id;
        end if;
        return next late.id;
    end loop;
end $$;
