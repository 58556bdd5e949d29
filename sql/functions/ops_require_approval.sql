-- The switch of a portal or a project: every submission waits for a person's approval. Raises AB404 and AB422.
create or replace function ops.require_approval(p_on boolean, p_reason text, p_portal text default null, p_project text default null)
returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    was boolean := (select approval from portal where key = p_portal union all select approval from project where code = p_project limit 1);
begin
    if (p_portal is null) = (p_project is null) then
        raise exception using errcode = 'AB422', message = 'name a portal or a project',
            hint = 'one of both: ops.require_approval(true, ''why'', p_portal => ''…''), or p_project';
    elsif p_on is null then
        raise exception using errcode = 'AB422', message = 'it is required, or it is not', hint = 'true requires, false lets them pass';
    elsif was is null then
        raise exception using errcode = 'AB404', message = format('there is no %s', coalesce(p_portal, p_project)),
            hint = 'select portal from ops.portals; select distinct project from ops.jobs';
    end if;
    update portal set approval = p_on where key = p_portal;
    update project set approval = p_on where code = p_project;
    insert into audit_event (actor, action, reason, project_id, before, after)
    values (actor(), 'approval.require', why, (select id from project where code = p_project),
            jsonb_build_object('portal', p_portal, 'project', p_project, 'on', was),
            jsonb_build_object('portal', p_portal, 'project', p_project, 'on', p_on));
end $$;
comment on function ops.require_approval(boolean, text, text, text) is
    'Have a person approve every submission to a portal, or of a project; off lets them pass again. Give the reason; it is kept.';
