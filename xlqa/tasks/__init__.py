"""Tasks: what differs between question answering and other tasks, one folder each."""
