-- Start no more runs at a portal. What runs goes on; what comes waits, and goes on by itself after resume.sql.
--
--     psql -v portal=npl -v why='their maintenance' -f pause.sql
\set ON_ERROR_STOP on
\if :{?portal}
\if :{?why} \else \set why '' \endif
select ops.pause_portal(:'portal', :'why') as accounts_paused;
select portal, account, paused_as, paused_by, paused_reason, taken, waiting from ops.portals where portal = :'portal';
\else
\echo 'which portal, and why?  psql -v portal=npl -v why=''their maintenance'' -f pause.sql'
\endif
