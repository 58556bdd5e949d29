-- Of these hashes, those that nothing refers to: their rows, if any, are removed here, older ones than p_older_s only.
-- A row that a transaction in flight is about to refer to is locked by `keep_blob`, and passed over.
create or replace function release_blobs(p_sha256 bytea[], p_older_s float8) returns setof bytea
language plpgsql as $$
declare
    locked bytea[];
begin
    select array_agg(c.sha256) into locked
      from (select b.sha256 from blob as b
             where b.sha256 = any (p_sha256) and b.created_at < now() - make_interval(secs => p_older_s)
               and not exists (select from photo where blob_sha256 = b.sha256)
               and not exists (select from photo where rendition_sha256 = b.sha256)
               and not exists (select from artifact where blob_sha256 = b.sha256)
             order by b.sha256 for update skip locked) as c;
    -- Asked again under the locks: a reference may have been committed before they were taken, and after it was looked for.
    delete from blob as b
     where b.sha256 = any (locked)
       and not exists (select from photo where blob_sha256 = b.sha256)
       and not exists (select from photo where rendition_sha256 = b.sha256)
       and not exists (select from artifact where blob_sha256 = b.sha256);
    return query
        select h from unnest(p_sha256) as h where not exists (select from blob as b where b.sha256 = h);
end $$;
