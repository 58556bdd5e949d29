-- A job that ends, or begins anew, has no use for its open questions and unused answers: they are withdrawn, and no answer
-- outlives its question.
create or replace function input_end() returns trigger language plpgsql as $$
begin
    update automation_input set outcome = 'withdrawn', answer_cipher = null
     where job_id = new.id and (outcome is null or outcome = 'answered')
       and (generation < new.generation or new.state in ('completed', 'failed', 'cancelled'));
    return null;
end $$;

create or replace trigger input_end after update of state, generation on automation_job for each row
    when (new.generation > old.generation
          or (new.state in ('completed', 'failed', 'cancelled') and old.state not in ('completed', 'failed', 'cancelled')))
    execute function input_end();
