"""How messages go over the pipe between the sandbox and a rendering process."""

import pickle
import struct

__all__ = ["HEADER", "frame"]

# The length of the pickle that follows.
HEADER = struct.Struct(">Q")


def frame(message: object) -> bytes:
    """*message* as it goes over the pipe."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body
