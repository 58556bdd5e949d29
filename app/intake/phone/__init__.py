"""What a phone reads beside its receipts: the forms, its inbox of records to fix, and how much it may send."""
