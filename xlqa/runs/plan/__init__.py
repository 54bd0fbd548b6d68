"""From a request to a plan: runs, costs and warnings before a start."""
