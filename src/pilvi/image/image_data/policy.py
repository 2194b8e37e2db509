"""The rules stand with those of images."""

from pilvi.image.images.policy import DOWNLOAD, UPLOAD

__all__ = ["DOWNLOAD", "UPLOAD"]
