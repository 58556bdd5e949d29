-- How long something is kept has bounds. The audit is asked about long after an act: whoever may say how long it is kept could else
-- have it removed, and with it that they said so. And of more than a thousand years there is no date to count back to: every
-- look at what is due would fail.
update retention set keep = '1 year' where what = 'audit' and keep < interval '1 year';
update retention set keep = '1000 years' where keep > interval '1000 years';
alter table retention
    add constraint retention_of_the_audit check (what <> 'audit' or keep >= interval '1 year'),
    add constraint retention_has_a_date check (keep <= interval '1000 years');
