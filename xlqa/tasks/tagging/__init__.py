"""Tagging as tasks: named entities (`ner`) and parts of speech (`pos`), one tag a word."""
