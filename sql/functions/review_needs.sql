-- What a record's job waits for in the office: the crew's correction (sent_back), an approval (review), or nothing (null).
create or replace function review_needs(p_record uuid) returns text language sql stable as $$
    select case when r.review_state in ('has_issues', 'rejected') then 'sent_back'
                when p.approval_required and r.review_state <> 'approved' then 'review' end
      from asbuilt_record as r join project as p on p.id = r.project_id where r.id = p_record
$$;
