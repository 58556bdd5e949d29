"""What operators look at: the backlog, workers, throughput, failures, questions and the audit. It changes nothing."""
