"""Tags: what a test needs, said in a comment within its first 20 lines.

    /* tags: root-only, slow, no-inside: needs a second kernel */

A tag may carry a reason after a colon; the no-… tags must."""

import re

TAGS = {
    "root-only": "skipped for an ordinary user",
    "slow": "may take five minutes instead of one",
    "alone": "runs while no other test does",
    "trap": "also runs with every call trapping (tests/run --trap runs just these)",
    "no-native": "never runs natively: success would alter the machine",
    "no-inside": "runs natively only",
}
REASONED = {"no-native", "no-inside"}

TAG_LINE = re.compile(r"^\s*(?:/\*|\*|#|//)\s*tags:\s*(.*?)\s*(?:\*/)?\s*$")


class TagError(Exception):
    pass


def read_tags(path):
    """The tags of a test file: name to reason (which may be empty)."""
    with open(path, encoding="utf-8") as file:
        lines = [line for _, line in zip(range(20), file)]
    tags = {}
    for number, line in enumerate(lines, 1):
        match = TAG_LINE.match(line)
        if not match:
            continue
        for part in match.group(1).split(","):
            name, _, reason = (word.strip() for word in part.partition(":"))
            if name not in TAGS:
                raise TagError(f"{path}:{number}: no tag '{name}' (there are: {', '.join(TAGS)})")
            if name in REASONED and not reason:
                raise TagError(f"{path}:{number}: '{name}' needs a reason: '{name}: why'")
            tags[name] = reason
    return tags
