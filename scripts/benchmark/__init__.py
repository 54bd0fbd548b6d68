"""How fast xlqa trains and evaluates beside the stock DeepPavlov pipeline and transformers' Trainer. Try: scripts/bench

Every side works in a process of its own on the same questions, and takes its turn in every round, so that a busy machine
slows all of them alike: what counts are the ratios within a round.
"""
