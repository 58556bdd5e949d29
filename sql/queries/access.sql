-- Who is asking: tokens of devices, sessions of people, and how they come to be.

-- name: token_by_id :opt
-- A live token with its device's project.
select t.secret_hash, t.scopes, d.id as device_id, d.label, d.project_id, p.code, p.name as project_name
  from access_token as t
  join device as d on d.id = t.device_id
  join project as p on p.id = d.project_id
 where t.id = %(id)s and t.revoked_at is null and d.disabled_at is null
   and (t.expires_at is null or t.expires_at > now());

-- name: session_by_hash :opt
-- The person of a live session.
select u.id as user_id, u.name, u.email
  from user_session as s join app_user as u on u.id = s.user_id
 where s.secret_hash = %(secret_hash)s and s.expires_at > now() and u.disabled_at is null;

-- name: memberships :many
-- The projects of a person, with the role in each.
select p.id as project_id, p.code, p.name, m.role
  from membership as m join project as p on p.id = m.project_id
 where m.user_id = %(user_id)s
 order by p.code;

-- name: user_by_email :opt
-- For signing in with a password.
select id, name, password_hash, password_salt from app_user where email = lower(%(email)s) and disabled_at is null;

-- name: use_link :opt
-- A one-time link, used up by this very statement.
update sign_in_link set used_at = now()
 where secret_hash = %(secret_hash)s and used_at is null and expires_at > now()
returning user_id;

-- name: open_session :one
-- A session for a person.
insert into user_session (secret_hash, user_id, expires_at)
values (%(secret_hash)s, %(user_id)s, now() + make_interval(secs => %(ttl_s)s))
returning (select name from app_user where id = user_id) as name;

-- name: close_session :exec
-- Sign out.
delete from user_session where secret_hash = %(secret_hash)s;

-- name: add_token :opt
-- A device of a project and its token; no row when there is no such project.
with new_device as (
    insert into device (project_id, label, crew) select id, %(label)s, %(crew)s from project where code = %(project)s
    returning id)
insert into access_token (id, secret_hash, device_id, scopes)
select %(id)s, %(secret_hash)s, id, %(scopes)s::text[] from new_device
returning device_id;

-- name: put_user :one
-- A person, or new name and password for the one with this address.
insert into app_user (email, name, password_hash, password_salt)
values (lower(%(email)s), %(name)s, %(password_hash)s, %(password_salt)s)
on conflict (email) do update set name = excluded.name,
    password_hash = coalesce(excluded.password_hash, app_user.password_hash),
    password_salt = coalesce(excluded.password_salt, app_user.password_salt)
returning id;

-- name: put_membership :opt
-- A person's role in a project; no row when there is no such project.
insert into membership (user_id, project_id, role) select %(user_id)s, id, %(role)s from project where code = %(project)s
on conflict (user_id, project_id) do update set role = excluded.role
returning project_id;

-- name: add_link :exec
-- A one-time sign-in link.
insert into sign_in_link (secret_hash, user_id, expires_at)
values (%(secret_hash)s, %(user_id)s, now() + make_interval(secs => %(ttl_s)s));
