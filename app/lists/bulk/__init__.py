"""One act on many jobs: on those named, or on those of the records that match."""
