-- Form definitions that an operator brings in.

-- name: lock_forms :exec
-- One import at a time; read and write below are one act.
lock table form_def in share row exclusive mode;

-- name: form_versions :many
-- The versions of a form, the latest first, each with whether it says exactly this.
select version,
       title = %(title)s and schema::jsonb = %(schema)s::jsonb and shots = %(shots)s::jsonb
           and measures = %(measures)s::jsonb and rules = %(rules)s::jsonb as same
  from form_def
 where form_key = %(form_key)s
 order by version desc;

-- name: add_form :exec
-- A new version, open at once, and who brought it in for which project.
with form as (
    insert into form_def (form_key, version, title, schema, shots, measures, rules)
    values (%(form_key)s, %(version)s, %(title)s, %(schema)s, %(shots)s, %(measures)s, %(rules)s)
    returning form_key, version)
insert into audit_event (actor, action, reason, project_id, after)
select %(actor)s, 'form.import', %(source)s, %(project)s, jsonb_build_object('form', form_key, 'version', version)
  from form;

-- name: project_of_code :opt
-- The project that an import is for; no row when there is none.
select id from project where code = %(code)s;
