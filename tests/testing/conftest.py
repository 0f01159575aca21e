# A checkout that is only on the path registers no plugin; where it is installed, this is the same fixture again.
from talking_avatar.testing.plugin import avatar_lab

__all__ = ["avatar_lab"]
