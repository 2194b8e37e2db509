"""The rules stand with those of images."""

from pilvi.image.images.policy import COPY, GET, UPLOAD

__all__ = ["COPY", "GET", "UPLOAD"]
