-- Retry a group of failed jobs. At first a rehearsal: it says which jobs it would retry. With go=1 it does.
--
--     psql -v portal=npl -v code=PORTAL_DOWN -v why='they are back' -f requeue.sql
--     psql -v portal=npl -v code=PORTAL_DOWN -v why='they are back' -v go=1 -f requeue.sql
--
-- Choose by portal, project, code, step, fingerprint (failures.sql shows them); most=500 bounds how many, the oldest first.
\set ON_ERROR_STOP on
\if :{?portal} \else \set portal '' \endif
\if :{?project} \else \set project '' \endif
\if :{?code} \else \set code '' \endif
\if :{?step} \else \set step '' \endif
\if :{?fingerprint} \else \set fingerprint '' \endif
\if :{?most} \else \set most 500 \endif
\if :{?why} \else \set why '' \endif
\if :{?go} \else \set go 0 \endif
select * from ops.requeue(:'why', p_portal => nullif(:'portal', ''), p_project => nullif(:'project', ''), p_code => nullif(:'code', ''),
                          p_step => nullif(:'step', ''), p_fingerprint => nullif(:'fingerprint', ''), p_limit => :most,
                          p_dry_run => :'go'::int <> 1);
