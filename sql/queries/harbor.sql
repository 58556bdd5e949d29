-- The second demo portal's statements. They touch tables demo_portal.harbor_* only.

-- name: put_harbor_account :exec
-- The configured sign-in; replaces the password of an account that exists.
insert into demo_portal.harbor_account (name, salt, hash)
values (%(name)s, %(salt)s, %(hash)s)
on conflict (name) do update set salt = excluded.salt, hash = excluded.hash, changed_at = now();

-- name: get_harbor_account :opt
-- What is needed to check a password.
select name, salt, hash, locked_at from demo_portal.harbor_account where name = %(name)s;

-- name: harbor_sign_in_right :exec
-- The wrong passwords before are forgotten.
update demo_portal.harbor_account set failed = 0 where name = %(name)s;

-- name: harbor_sign_in_wrong :exec
-- The n-th wrong password in a row locks the account (0 = never).
update demo_portal.harbor_account
   set failed = failed + 1,
       locked_at = case when %(lockout_after)s::integer > 0 and failed + 1 >= %(lockout_after)s::integer
                        then clock_timestamp() else locked_at end
 where name = %(name)s;

-- name: unlock_harbor_accounts :exec
-- As a call to the help desk would.
update demo_portal.harbor_account set failed = 0, locked_at = null where failed > 0 or locked_at is not null;

-- name: open_harbor_session :exec
-- A signed-in browser; `single` ends all other sessions of the account. Forgotten ones go after a week.
with ended as (
  delete from demo_portal.harbor_session
   where (%(single)s::boolean and account = %(account)s) or opened_at < clock_timestamp() - interval '7 days'
)
insert into demo_portal.harbor_session (token_hash, account) values (%(token_hash)s, %(account)s);

-- name: visit_harbor_session :opt
-- Count a request; no row once the session is spent (0 = no limit).
update demo_portal.harbor_session
   set requests = requests + %(cost)s::integer
 where token_hash = %(token_hash)s
   and (%(max_requests)s::integer = 0 or requests < %(max_requests)s::integer)
   and (%(max_minutes)s::float8 = 0 or opened_at > clock_timestamp() - make_interval(secs => 60 * %(max_minutes)s::float8))
returning account;

-- name: close_harbor_session :exec
-- Sign out.
delete from demo_portal.harbor_session where token_hash = %(token_hash)s;

-- name: get_harbor_quirks :opt
-- The switches as they stand now, whoever set them.
select preset, switches from demo_portal.harbor_quirks;

-- name: put_harbor_quirks :exec
-- Set all switches at once.
insert into demo_portal.harbor_quirks (preset, switches)
values (%(preset)s, %(switches)s)
on conflict (one) do update set preset = excluded.preset, switches = excluded.switches, changed_at = clock_timestamp();

-- name: start_closeout :one
-- An empty close-out.
insert into demo_portal.harbor_closeout (account) values (%(account)s) returning id, account, keyed, saved_at;

-- name: get_closeout :opt
-- A close-out that is still on this account's desk.
select id, account, keyed, saved_at
  from demo_portal.harbor_closeout where id = %(id)s and account = %(account)s and sent_at is null;

-- name: closeout_to_send :opt
-- As get_closeout, but one that was sent already too: this portal takes whatever it is sent.
select id, account, keyed, saved_at from demo_portal.harbor_closeout where id = %(id)s and account = %(account)s;

-- name: list_closeouts :many
-- The newest close-outs on this account's desk.
select id, account, keyed, saved_at
  from demo_portal.harbor_closeout where account = %(account)s and sent_at is null order by id desc limit 20;

-- name: save_closeout :opt
-- Keep what was keyed; no row once it was sent.
update demo_portal.harbor_closeout set keyed = keyed || %(keyed)s::jsonb, saved_at = clock_timestamp()
 where id = %(id)s and account = %(account)s and sent_at is null
returning id, account, keyed, saved_at;

-- name: put_closeout_photo :opt
-- A photo of a close-out that is still open; the same name again replaces it.
insert into demo_portal.harbor_photo (closeout, name, size, sha256, thumb)
select c.id, %(name)s, %(size)s, %(sha256)s, %(thumb)s
  from demo_portal.harbor_closeout c where c.id = %(closeout)s and c.sent_at is null
on conflict (closeout, name) do update
   set size = excluded.size, sha256 = excluded.sha256, thumb = excluded.thumb, received_at = excluded.received_at
returning id, name, size, sha256;

-- name: list_closeout_photos :many
-- The photos of a close-out in the order they came.
select id, name, size, sha256 from demo_portal.harbor_photo where closeout = %(closeout)s order by id;

-- name: get_closeout_photo :opt
-- A small rendition, for its owner.
select p.thumb as body
  from demo_portal.harbor_photo p join demo_portal.harbor_closeout c on c.id = p.closeout
 where p.id = %(id)s and c.account = %(account)s;

-- name: send_closeout :one
-- The irreversible act: number it, freeze what was keyed, take it off the desk. A second request makes a second one.
with closed as (
  update demo_portal.harbor_closeout set sent_at = clock_timestamp() where id = %(id)s
  returning id, account, keyed
)
insert into demo_portal.harbor_submission (number, reference, closeout, account, keyed, photos, fence)
select 'HFC-' || lpad(n::text, greatest(6, length(n::text)), '0'), %(reference)s, closed.id, closed.account, closed.keyed,
       (select count(*) from demo_portal.harbor_photo p where p.closeout = closed.id), %(fence)s::bigint
  from closed, nextval('demo_portal.harbor_number') as n
returning number;
