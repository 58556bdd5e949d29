-- The shape of a migrated database, for the committed snapshot. Same text on every supported version of Postgres.

-- name: lines :many
-- Tables with columns, constraints, indexes and policies; then views, functions and triggers of ours, and what each role may do.
select line from (
    select 1 as part, c.relname::text as owner, 0 as kind, a.attnum::int as place,
           format('table %%s: %%s %%s%%s%%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
               case when a.attnotnull then ' not null' else '' end,
               coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
      from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not like 'procrastinate%%'
    union all
    select 1, c.relname, 1, 0, format('table %%s: constraint %%s %%s', c.relname, k.conname, pg_get_constraintdef(k.oid))
      from pg_constraint as k join pg_class as c on c.oid = k.conrelid
     where c.relnamespace = 'public'::regnamespace and c.relname not like 'procrastinate%%' and k.contype <> 'n'
    union all
    select 1, c.relname, 2, 0, pg_get_indexdef(i.indexrelid)
      from pg_index as i join pg_class as c on c.oid = i.indrelid
     where c.relnamespace = 'public'::regnamespace and c.relname not like 'procrastinate%%'
       and not exists (select from pg_constraint where conindid = i.indexrelid)
    union all
    select 1, c.relname, 3, 0, format('table %%s: policy %%s to %%s using %%s', c.relname, p.polname,
               case when p.polroles = '{0}' then 'all' else array_to_string(p.polroles::regrole[], ', ') end,
               regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\s+', ' ', 'g'))
      from pg_policy as p join pg_class as c on c.oid = p.polrelid
     where c.relnamespace = 'public'::regnamespace and c.relrowsecurity
    union all
    select 2, c.relname, 0, a.attnum, format('view %%s.%%s: %%s %%s', n.nspname, c.relname, a.attname,
               format_type(a.atttypid, a.atttypmod))
      from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
     where n.nspname in ('public', 'ops') and c.relkind = 'v'
    union all
    select 3, p.proname, 0, 0, format('function %%s.%%s(%%s) returns %%s', n.nspname, p.proname,
               pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid))
      from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
     where n.nspname in ('public', 'ops') and p.proname not like 'procrastinate%%'
    union all
    select 4, t.tgname, 0, 0, pg_get_triggerdef(t.oid)
      from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
     where not t.tgisinternal and t.tgname not like 'procrastinate%%'
    union all
    select 5, concat(g.role, ' ', g.object), 0, 0, format('grant %%s: %%s on %%s', g.role, string_agg(g.may, ', ' order by g.may), g.object)
      from (select r.rolname::text as role, lower(x.privilege_type) as may, c.oid::regclass::text as object
              from pg_class as c cross join lateral aclexplode(c.relacl) as x join pg_roles as r on r.oid = x.grantee
             where c.relnamespace in ('public'::regnamespace, 'ops'::regnamespace) and c.relkind in ('r', 'v')
            union all
            select r.rolname, format('%%s (%%s)', lower(x.privilege_type), a.attname), c.oid::regclass::text
              from pg_class as c join pg_attribute as a on a.attrelid = c.oid
             cross join lateral aclexplode(a.attacl) as x join pg_roles as r on r.oid = x.grantee
             where c.relnamespace in ('public'::regnamespace, 'ops'::regnamespace)
            union all
            select r.rolname, lower(x.privilege_type), format('%%s.%%s', n.nspname, p.proname)
              from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
             cross join lateral aclexplode(p.proacl) as x join pg_roles as r on r.oid = x.grantee
             where n.nspname = 'ops'
            union all
            select r.rolname, lower(x.privilege_type), format('%%s(%%s)', p.proname, pg_get_function_identity_arguments(p.oid))
              from pg_proc as p cross join lateral aclexplode(p.proacl) as x join pg_roles as r on r.oid = x.grantee
             where p.pronamespace = 'public'::regnamespace and p.proname not like 'procrastinate%%'
               and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')) as g
     where g.role in ('asbuilt_app', 'asbuilt_worker', 'asbuilt_operator', 'asbuilt_readonly')
     group by g.role, g.object) as shape
 order by part, owner collate "C", kind, place, line collate "C";
