"""The benchmarks: a hot path a file, ours beside a peer on the same throw-away servers, in one run, as ratios."""
