"""Classification as tasks: of sentences (`topic`, `sentiment`) and of sentence pairs (`nli`, `paraphrase`)."""
