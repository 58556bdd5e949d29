-- How long a statement, a wait for a lock and an idle transaction may take, in this database, of each login that is a member of a role
-- of ours: members do not inherit what is set for their group. Our processes say the same as they connect; behind a pooler, which drops
-- that, this holds. What somebody has set for a login stays, and the owner and superusers are bound by nothing. A login that
-- is made later is bound at the next migration.
do $$
declare
    bound record;
begin
    for bound in
        select r.rolname as login, string_agg(format('alter role %I in database %I set %s = %L', r.rolname, current_database(), s.name, s.value),
                                              '; ' order by s.name) as statements
          from (values ('asbuilt_app', 'statement_timeout', '15s'), ('asbuilt_app', 'lock_timeout', '5s'),
                       ('asbuilt_app', 'idle_in_transaction_session_timeout', '60s'), ('asbuilt_app', 'timezone', 'UTC'),
                       ('asbuilt_worker', 'statement_timeout', '15s'), ('asbuilt_worker', 'lock_timeout', '5s'),
                       ('asbuilt_worker', 'idle_in_transaction_session_timeout', '60s'), ('asbuilt_worker', 'timezone', 'UTC'),
                       ('asbuilt_operator', 'statement_timeout', '60s'), ('asbuilt_operator', 'lock_timeout', '5s'),
                       ('asbuilt_operator', 'idle_in_transaction_session_timeout', '10min'),
                       ('asbuilt_readonly', 'statement_timeout', '60s'), ('asbuilt_readonly', 'lock_timeout', '5s'),
                       ('asbuilt_readonly', 'idle_in_transaction_session_timeout', '10min')) as s (of, name, value)
          join pg_roles as r on r.rolcanlogin and not r.rolsuper and to_regrole(s.of) is not null
           and pg_has_role(r.oid, to_regrole(s.of)::oid, 'usage')
           and not pg_has_role(r.oid, (select relowner from pg_class where oid = 'automation_job'::regclass), 'member')
         where not exists (
            select from pg_db_role_setting as d, unnest(d.setconfig) as c
             where d.setrole = r.oid and d.setdatabase in (0, (select oid from pg_database where datname = current_database()))
               and lower(split_part(c, '=', 1)) = s.name)
         group by r.rolname
    loop
        begin
            execute bound.statements;
        exception
            when undefined_object then null;  -- somebody has dropped it at this moment
            when insufficient_privilege then
                raise warning 'login % has no limits in this database, and % may not set them', bound.login, current_user
                    using hint = format('as a user who may: %s', bound.statements);
        end;
    end loop;
end $$;
