"""Finished files, brought here whole."""

from talking_avatar.download.downloader import Downloader
from talking_avatar.download.naming import file_for_each, mask_path, suffix_of, target_path
from talking_avatar.download.progress import Progress

__all__ = ["Downloader", "Progress", "file_for_each", "mask_path", "suffix_of", "target_path"]
