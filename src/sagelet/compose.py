"""Introduces the parts to each other; the only module that knows them all."""
