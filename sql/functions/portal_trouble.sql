-- What a failed attempt, closed already, means for everybody else at its account: a rejected login pauses it at once, for a
-- lock-out would hit all jobs; a step that several jobs in a row do not find pauses it; failures of the portal itself open the
-- breaker, or keep it open for twice as long when a probe meets them.
create or replace function portal_trouble(p_account uuid, p_error jsonb) returns void language plpgsql as $$
declare
    class text := p_error ->> 'class';
    code text := p_error ->> 'code';
    wide boolean := coalesce(portal_wide(code, class), false);
    a portal_account;
    jobs int;
begin
    if not wide and class not in ('login_failed', 'element_missing', 'validation_rejected', 'duplicate', 'needs_human') then
        return;
    end if;
    select * into a from portal_account where id = p_account for no key update;
    if class = 'login_failed' then
        update portal_account set paused_at = clock_timestamp(), paused_as = 'login', paused_by = actor(),
               paused_reason = 'login: ' || left(p_error ->> 'message', 500)
         where id = p_account and paused_at is null;
    elsif wide and (a.breaker_until is null or a.breaker_until <= clock_timestamp()) then
        select count(distinct t.job_id) into jobs
          from automation_attempt as t join automation_job as j on j.id = t.job_id
         where t.outcome = 'failed' and j.account_id = p_account and portal_wide(t.error_code, t.error_class)
           and t.ended_at > greatest(a.counts_from, clock_timestamp() - make_interval(secs => a.breaker_window_s));
        if a.breaker_until is not null or jobs >= a.breaker_failures then
            update portal_account
               set breaker_until = clock_timestamp() + make_interval(
                       secs => least(breaker_cap_s, breaker_open_s * 2.0 ^ least(breaker_openings, 30))),
                   breaker_openings = breaker_openings + 1,
                   breaker_reason = format('%s: %s', code, left(p_error ->> 'message', 500))
             where id = p_account;
        end if;
    elsif not wide and a.breaker_until is not null then
        perform portal_answered(p_account);
    end if;
    if class = 'element_missing' and a.paused_at is null then
        select count(distinct t.job_id) into jobs
          from automation_attempt as t join automation_job as j on j.id = t.job_id
         where t.outcome = 'failed' and j.account_id = p_account and t.error_class = 'element_missing'
           and t.error_step is not distinct from p_error ->> 'step' and t.ended_at > a.counts_from;
        if jobs >= 3 then
            update portal_account set paused_at = clock_timestamp(), paused_as = 'recipe_paused', paused_by = actor(),
                   paused_reason = format('recipe: %s jobs in a row found no way through step %s', jobs, p_error ->> 'step')
             where id = p_account;
        end if;
    end if;
end $$;
