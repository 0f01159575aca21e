"""What a caller's addresses hold, fetched and checked."""

import attrs

from talking_avatar.sandbox.fetch import Fetcher
from talking_avatar.sandbox.rendering.samples import portrait_jpeg
from talking_avatar.sandbox.studio_pool import Crew

__all__ = ["Inputs"]


@attrs.define(kw_only=True, eq=False)
class Inputs:
    """Photos, recordings and other files; where *fetch* is off, nobody looks at any."""

    fetcher: Fetcher
    crew: Crew
    fetch: bool

    async def file(self, address: str) -> bytes:
        """Whatever is there, unchecked."""
        return await self.fetcher.fetch(address) if self.fetch else b""

    async def photo(self, address: str, *, minimum: int) -> bytes:
        """A photo with a face of at least *minimum* pixels both ways."""
        if not self.fetch:
            return portrait_jpeg()
        photo = await self.fetcher.fetch(address)
        await self.crew.call("find_face", photo, minimum=minimum)
        return photo

    async def recording(self, address: str, *, limit: float) -> bytes:
        """A recording of at most *limit* seconds; nothing where inputs are not fetched, for then nobody plays it."""
        if not self.fetch:
            return b""
        recording = await self.fetcher.fetch(address)
        await self.crew.call("measure_audio", recording, limit=limit)
        return recording
