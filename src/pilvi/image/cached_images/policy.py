"""Who may look at the cache and change it. Upstream's names."""

from pilvi.kernel.policy import Rule, admin

LIST = Rule("cache_list", admin, "Show what is cached and what is to be.")
QUEUE = Rule("cache_image", admin, "Have an image copied into the cache.")
DELETE = Rule("cache_delete", admin, "Take images out of the cache or its queue.")
CLEAN = Rule("cache_clean", admin, "Remove leftovers from the cache.")
PRUNE = Rule("cache_prune", admin, "Remove what exceeds the cache's limit.")
LIST_NODES = Rule("list_cached_nodes", admin, "Show where an image is cached.")
