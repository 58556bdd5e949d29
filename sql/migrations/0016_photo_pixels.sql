-- What a photo looks like, so that late photos of a record and later records are compared without opening it again.
alter table photo
    add column dhash bigint,
    add column sharpness real,
    add column luma real;
comment on column photo.dhash is 'Difference hash of the picture: copies differ in few of its 64 bits. Null for a picture without any drawing.';
comment on column photo.sharpness is 'Variance of the Laplacian at 512 px on the long edge.';
comment on column photo.luma is 'Mean light at that size, 0 to 255.';
comment on column photo.taken_at_source is 'How taken_at was read: the camera''s offset, GPS time, or its local time in the project''s time zone.';
