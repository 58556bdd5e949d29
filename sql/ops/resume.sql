-- Let a portal go on: the pause ends and the breaker closes, and whoever waits takes the free slots at once.
--
--     psql -v portal=npl -v why='they are back' -f resume.sql
\set ON_ERROR_STOP on
\if :{?portal}
\if :{?why} \else \set why '' \endif
select ops.resume_portal(:'portal', :'why') as accounts_resumed;
select portal, account, open_to, taken, waiting, breaker from ops.portals where portal = :'portal';
\else
\echo 'which portal, and why?  psql -v portal=npl -v why=''they are back'' -f resume.sql'
\endif
