-- Compare so many photos that have not been compared yet with those of their project's other records; answers how many. What looks the
-- same, or was uploaded at the same moment, is found once, on the later of the two, and never holds a job. One compares at a
-- time, so that of two new photos the second is compared with the first; a record whose job somebody holds is left for later.
create or replace function compare_photos(p_most int) returns int language plpgsql set statement_timeout = '10s' as $$
declare
    mine photo;
    alike record;
    job automation_job;
    done int := 0;
    busy boolean;
begin
    if not pg_try_advisory_xact_lock(727274004) then
        return 0;
    end if;
    for mine in
        select * from photo where not compared and dhash is not null and kind = 'photo'
         order by id limit p_most for no key update skip locked
    loop
        busy := false;
        for alike in select * from alike_photos(mine) loop
            job := try_lock_job((select id from automation_job where record_id = alike.record_id order by created_at desc limit 1));
            busy := busy or job.id is null;
            continue when job.id is null or exists (
                select from defect where record_id = alike.record_id and rule = 'photo-reused' and photo = alike.photo
                                     and status in ('open', 'waived'));
            perform add_defects(alike.record_id, (select revision from asbuilt_record where id = alike.record_id),
                                jsonb_build_array(alike.finding));
            if job.state not in ('completed', 'failed', 'cancelled') then
                -- Nothing but the event: open pages count the findings anew.
                update automation_job set wait_reason = job.wait_reason where id = job.id;
            end if;
        end loop;
        continue when busy;
        update photo set compared = true where id = mine.id;
        done := done + 1;
    end loop;
    return done;
end $$;
