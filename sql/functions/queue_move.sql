-- Make a waiting queue row runnable now; app_queue_wake tells the workers. A priority given by hand is kept.
create or replace function queue_move(p_queue_job bigint) returns void language sql as $$
    update procrastinate_jobs set queue_name = 'automation', priority = greatest(priority, 0)
     where id = p_queue_job and status = 'todo'
$$;
