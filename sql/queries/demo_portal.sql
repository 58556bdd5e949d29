-- The demo portal's statements. They touch schema demo_portal only.

-- name: put_account :exec
-- The configured sign-in; replaces the password of an account that exists.
insert into demo_portal.account (name, salt, hash)
values (%(name)s, %(salt)s, %(hash)s)
on conflict (name) do update set salt = excluded.salt, hash = excluded.hash, changed_at = now();

-- name: get_account :opt
-- What is needed to check a password.
select name, salt, hash, locked_at from demo_portal.account where name = %(name)s;

-- name: count_sign_in :one
-- The password was right: the number of this sign-in, and the wrong ones are forgotten.
update demo_portal.account set sign_ins = sign_ins + 1, failed = 0 where name = %(name)s returning sign_ins as number;

-- name: count_failure :exec
-- The password was wrong; the n-th in a row locks the account (0 = never).
update demo_portal.account
   set failed = failed + 1,
       locked_at = case when %(lockout_after)s::integer > 0 and failed + 1 >= %(lockout_after)s::integer
                        then clock_timestamp() else locked_at end
 where name = %(name)s;

-- name: unlock_accounts :exec
-- As a call to the help desk would.
update demo_portal.account set failed = 0, locked_at = null where failed > 0 or locked_at is not null;

-- name: open_session :exec
-- A browser with the right password; `single` ends all other sessions of the account. Forgotten ones go after a week.
with ended as (
  delete from demo_portal.session
   where (%(single)s::boolean and account = %(account)s) or opened_at < clock_timestamp() - interval '7 days'
), forgotten as (
  delete from demo_portal.message where sent_at < clock_timestamp() - interval '7 days'
)
insert into demo_portal.session (token_hash, account, awaiting) values (%(token_hash)s, %(account)s, %(awaiting)s::text[]);

-- name: visit_session :opt
-- Count a page request; no row once the session is spent (0 = no limit).
update demo_portal.session
   set requests = requests + case when awaiting = '{}' then %(cost)s::integer else 0 end
 where token_hash = %(token_hash)s
   and (%(max_requests)s::integer = 0 or requests < %(max_requests)s::integer)
   and (%(max_minutes)s::float8 = 0 or opened_at > clock_timestamp() - make_interval(secs => 60 * %(max_minutes)s::float8))
returning account, requests, awaiting;

-- name: send_message :exec
-- A code to the phone, or a word for the picture; it replaces what was sent to this session before.
insert into demo_portal.message (token_hash, account, kind, body)
values (%(token_hash)s, %(account)s, %(kind)s, %(body)s);

-- name: last_message :opt
-- What this session has to answer; a code that was used, or is older than five minutes, is none.
select account, kind, body, sent_at, used_at
  from demo_portal.message
 where token_hash = %(token_hash)s and kind = %(kind)s and used_at is null
   and sent_at > clock_timestamp() - interval '5 minutes'
 order by id desc limit 1;

-- name: list_messages :many
-- The phone, newest first.
select account, kind, body, sent_at, used_at from demo_portal.message order by id desc limit 20;

-- name: answer_right :exec
-- One thing less to answer.
with used as (
  update demo_portal.message set used_at = clock_timestamp()
   where token_hash = %(token_hash)s and kind = %(kind)s and used_at is null
)
update demo_portal.session set awaiting = array_remove(awaiting, %(kind)s::text), wrong = 0 where token_hash = %(token_hash)s;

-- name: answer_wrong :one
-- Count it; `gone` when this was the last try and the session has ended.
with counted as (
  update demo_portal.session set wrong = wrong + 1
   where token_hash = %(token_hash)s and wrong + 1 < %(tries)s::integer
  returning wrong
), ended as (
  delete from demo_portal.session where token_hash = %(token_hash)s and wrong + 1 >= %(tries)s::integer
)
select not exists (select from counted) as gone;

-- name: close_session :exec
-- Sign out.
delete from demo_portal.session where token_hash = %(token_hash)s;

-- name: get_quirks :opt
-- The switches as they stand now, whoever set them.
select preset, switches from demo_portal.quirks;

-- name: put_quirks :exec
-- Set all switches at once.
insert into demo_portal.quirks (preset, switches)
values (%(preset)s, %(switches)s)
on conflict (one) do update set preset = excluded.preset, switches = excluded.switches, changed_at = clock_timestamp();

-- name: make_draft :one
-- An empty draft.
insert into demo_portal.draft (account) values (%(account)s)
returning id, account, keyed, saved, findings, created_at, changed_at, submitted_at;

-- name: get_draft :opt
-- A draft of this account.
select id, account, keyed, saved, findings, created_at, changed_at, submitted_at
  from demo_portal.draft where id = %(id)s and account = %(account)s;

-- name: list_drafts :many
-- The newest drafts of this account.
select id, account, keyed, saved, findings, created_at, changed_at, submitted_at
  from demo_portal.draft where account = %(account)s order by id desc limit 50;

-- name: save_page :exec
-- Keep what was keyed on one page; the page counts as saved only without findings.
update demo_portal.draft
   set keyed = keyed || %(keyed)s::jsonb, findings = %(findings)s::jsonb, changed_at = clock_timestamp(),
       saved = case when %(findings)s::jsonb = '[]' then array_append(array_remove(saved, %(page)s::text), %(page)s::text)
                    else array_remove(saved, %(page)s::text) end
 where id = %(id)s and submitted_at is null;

-- name: put_findings :exec
-- What the next view of the draft shows as errors.
update demo_portal.draft set findings = %(findings)s::jsonb where id = %(id)s;

-- name: put_upload :opt
-- A photo of a draft that is still open; the same name again replaces it.
insert into demo_portal.upload (draft, name, media_type, size, sha256, width, height, taken_at, thumb, large)
select d.id, %(name)s, %(media_type)s, %(size)s, %(sha256)s, %(width)s, %(height)s, %(taken_at)s, %(thumb)s, %(large)s
  from demo_portal.draft d where d.id = %(draft)s and d.submitted_at is null
on conflict (draft, name) do update
   set media_type = excluded.media_type, size = excluded.size, sha256 = excluded.sha256, width = excluded.width,
       height = excluded.height, taken_at = excluded.taken_at, thumb = excluded.thumb, large = excluded.large,
       received_at = excluded.received_at
returning id, name, media_type, size, sha256, width, height, taken_at;

-- name: list_uploads :many
-- The photos of a draft in the order they came.
select id, name, media_type, size, sha256, width, height, taken_at
  from demo_portal.upload where draft = %(draft)s order by id;

-- name: get_picture :opt
-- One rendition of a photo, for its owner.
select case when %(size)s::text = 'thumb' then u.thumb else u.large end as body
  from demo_portal.upload u join demo_portal.draft d on d.id = u.draft
 where u.id = %(id)s and d.account = %(account)s;

-- name: lock_reference :exec
-- Two submit requests with one reference wait for each other, so that the duplicate check sees both.
select pg_advisory_xact_lock(hashtextextended('demo_portal.' || %(reference)s::text, 0));

-- name: add_submission :one
-- The irreversible act: number it, freeze what was keyed, close the draft.
with number as (
  select nextval('demo_portal.submission_number') as n
), closed as (
  update demo_portal.draft set submitted_at = clock_timestamp(), changed_at = clock_timestamp(), findings = '[]'
   where id = %(draft)s
  returning id, account, keyed
)
insert into demo_portal.submission (confirmation, reference, draft, account, keyed, photos, fence)
select 'NPL-' || to_char(clock_timestamp(), 'YYYY') || '-' || lpad(n::text, greatest(6, length(n::text)), '0'),
       %(reference)s, closed.id, closed.account, closed.keyed,
       (select count(*) from demo_portal.upload u where u.draft = closed.id), %(fence)s::bigint
  from closed, number
returning confirmation, reference, draft, account, keyed, photos, fence, submitted_at;

-- name: find_submissions :many
-- Exact reference, oldest first; the index shows a submission only `lag_s` after it was made.
select confirmation, reference, draft, account, keyed, photos, fence, submitted_at
  from demo_portal.submission
 where reference = %(reference)s and submitted_at <= clock_timestamp() - make_interval(secs => %(lag_s)s::float8)
 order by submitted_at, confirmation;

-- name: submissions_of_draft :many
-- Newest first; more than one only where duplicates are accepted.
select confirmation, reference, draft, account, keyed, photos, fence, submitted_at
  from demo_portal.submission where draft = %(draft)s order by submitted_at desc, confirmation desc;

-- name: get_submission :opt
-- By its confirmation number.
select confirmation, reference, draft, account, keyed, photos, fence, submitted_at
  from demo_portal.submission where confirmation = %(confirmation)s;

-- name: list_submissions :many
-- The newest submissions of everybody.
select confirmation, reference, draft, account, keyed, photos, fence, submitted_at
  from demo_portal.submission order by submitted_at desc, confirmation desc limit %(limit)s::integer;

-- name: count_submissions :one
-- The visible proof: how many submissions, of how many references, how many references more than once.
select coalesce(sum(n), 0)::bigint as submissions, count(*) as references, count(*) filter (where n > 1) as duplicated
  from (select count(*) as n from demo_portal.received group by portal, reference) as per_reference;

-- name: count_references :many
-- Submissions a portal and reference, doubled ones first.
select portal, reference, count(*) as submissions, max(submitted_at) as last_at,
       array_agg(confirmation order by submitted_at) as confirmations
  from demo_portal.received group by portal, reference order by count(*) desc, max(submitted_at) desc limit %(limit)s::integer;

-- name: received_of :many
-- What either portal took in under a reference, oldest first.
select portal, confirmation, reference, photos, fence, submitted_at
  from demo_portal.received where reference = %(reference)s order by submitted_at, confirmation;

-- name: received_lately :many
-- What either portal took in, newest first.
select portal, confirmation, reference, photos, fence, submitted_at
  from demo_portal.received order by submitted_at desc, confirmation desc limit %(limit)s::integer;
