"""What a watcher has done so far, in numbers."""

import attrs

__all__ = ["WatcherStats"]


@attrs.frozen(kw_only=True)
class WatcherStats:
    """*watched* jobs are open now; the rest counts since the watcher was made."""

    watched: int
    settled: int
    creates: int
    lists: int
    gets: int
    failed_reads: int
    in_flight: int
