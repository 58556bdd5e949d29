"""What a fuzzer feeds, and how it is run."""
