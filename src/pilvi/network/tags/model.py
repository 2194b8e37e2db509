"""Tags: words that users stick on resources to find them again."""

from collections.abc import Sequence

from pilvi.network.standard.model import invalid

TAGS_LIMIT, TAG_LENGTH = 100, 255


def check_tags(tags: Sequence[str]) -> list[str]:
    if len(set(tags)) > TAGS_LIMIT:
        raise invalid(f"A resource has {TAGS_LIMIT} tags at most.")
    for tag in tags:
        if not 1 <= len(tag) <= TAG_LENGTH or any(character in tag for character in ",/\n"):
            raise invalid(f"{tag!r} is no tag: 1 to {TAG_LENGTH} characters without commas, slashes and new lines.")
    return sorted(set(tags))
