create or replace view ops.portals as
select a.portal_key as portal, p.name, a.label as account, a.max_runs,
       case when account_closed(a) is not null then 0 when a.breaker_until is not null then 1 else a.max_runs end as open_to,
       (select count(*) from portal_slot as s where s.account_id = a.id and s.job_id is not null) as taken,
       (select count(*) from automation_job as j
         where j.account_id = a.id and j.state = 'queued' and j.wait_reason is not null)
       + (select count(*) from automation_job as j
           where j.account_id = a.id and j.state = 'held' and j.wait_reason in ('paused', 'login', 'recipe_paused')) as waiting,
       a.starts_per_minute, case when a.next_start_at > now() then a.next_start_at end as next_start_at,
       a.paused_as, case when (select sees_people()) then a.paused_reason end as paused_reason,
       case when (select sees_people()) then a.paused_by else actor_kind(a.paused_by) end as paused_by, a.paused_at,
       case when a.breaker_until is null then 'closed' when a.breaker_until > now() then 'open' else 'half-open' end as breaker,
       case when (select sees_people()) then a.breaker_reason else failure_shape(a.breaker_reason) end as breaker_reason, case when a.breaker_until > now() then a.breaker_until end as next_probe_at
  from portal_account as a join portal as p on p.key = a.portal_key;
comment on view ops.portals is 'Every account at a portal: how much it bears, who is in, who waits, and what keeps them out. Act on it with ops.pause_portal, ops.resume_portal and ops.set_limit.';
comment on column ops.portals.max_runs is 'The configured limit of runs at once.';
comment on column ops.portals.open_to is 'The limit now: 0 while paused or the breaker is open, 1 while one job probes, else max_runs.';
comment on column ops.portals.taken is 'Slots held by runs, and by jobs that are about to start theirs.';
comment on column ops.portals.waiting is 'Jobs that are ready but for this account: ops.jobs.wait_reason says slot, breaker, paused, login or recipe_paused.';
comment on column ops.portals.paused_as is 'paused (by a person), login (our credentials were rejected), recipe_paused (a step was not found again and again).';
comment on column ops.portals.paused_by is 'For members of asbuilt_readonly only the kind, and no paused_reason.';
comment on column ops.portals.next_probe_at is 'An open breaker lets one job try again at this time.';
