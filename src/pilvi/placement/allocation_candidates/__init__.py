"""Where a request would fit: the question that scheduling asks."""
