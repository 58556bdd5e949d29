"""Questions to people: what a job waits for, and the answers people give. What becomes of an answer is the worker's business."""
