"""Executing a plan: one run, the worker process, the scheduler, progress."""
