"""Faults injected into real sweeps, and what must be true afterwards: `scripts/faults`."""
