"""The end-to-end benchmark beside its peers; scripts/bench runs it."""
