-- What a portal is given instead of a photo that it cannot show: made once, so that every attempt sends the same bytes.
alter table photo add column rendition_sha256 bytea references blob;
create index photo_rendition on photo (rendition_sha256) where rendition_sha256 is not null;
comment on column photo.rendition_sha256 is 'An upright JPEG of a photo in a format that portals do not take (HEIC, WebP); null until its first run, and for all others.';
