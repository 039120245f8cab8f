"""`model.tar.gz` and its like: unpacked with every suspicion, packed so that equal trees are equal.

An archive is refused if it is damaged, if a member's name or link leads outside, if it holds
anything but files, folders and links, or if it is a bomb.
"""

from sagelet.artifacts.hashes import sha256_of, tree_hash
from sagelet.artifacts.packing import pack
from sagelet.artifacts.unpacking import DEFAULT_LIMITS, ArchiveLimits, unpack

__all__ = ["DEFAULT_LIMITS", "ArchiveLimits", "pack", "sha256_of", "tree_hash", "unpack"]
