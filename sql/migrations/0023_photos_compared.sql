-- Photos are compared with those of other records behind the upload, each once. A mark on the row and not a point in time: a photo whose
-- transaction began early and committed late would be behind any such point, and never be looked at.
-- Photos from before this are compared with, not compared.
alter table photo add column compared boolean not null default true;
alter table photo alter column compared set default false;
create index photo_uncompared on photo (id) where not compared and dhash is not null and kind = 'photo';
-- The hash in four bands of 13 bits and one of 12, numbered so that no two bands share a value: of two hashes that differ in four bits
-- at most one band is the same in both. near_photos looks for that. Without the pending list, which every look-up would read whole.
create index photo_bands on photo using gin ((array[
    (dhash & 8191)::int, (dhash >> 13 & 8191)::int | 8192, (dhash >> 26 & 8191)::int | 16384,
    (dhash >> 39 & 8191)::int | 24576, (dhash >> 52 & 4095)::int | 32768])) with (fastupdate = off)
    where dhash is not null and kind = 'photo';
comment on column photo.compared is 'Whether it was compared with the pictures of other records. Only pictures with a dhash are, and only photos: signatures are alike.';
