"""What is on disk: run configs, results, status, archives."""
