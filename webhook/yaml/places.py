"""
Finds the positions of the keys and list items of a document. Each position is found on demand.

JSON documents use ``json_places``. YAML documents use one of two modules, and a differential test checks that both give the
same positions (``tests/yaml/test_block_places.py``):

- ``composed_places`` finds the positions in any YAML, from nodes that PyYAML composes.
- ``block_places`` reads plain block YAML line by line, and no other YAML. This module exists only for speed. Nearly all
  manifests are plain block YAML, and ``block_places`` does not import PyYAML.

Without ``block_places``, ``migratable check`` takes more CPU time (3 KB a file, CPython 3.11, best of 9 or 25 runs each):

=======================================  =========  ==================  ======
files                                    with       composed_places     more
=======================================  =========  ==================  ======
1 with findings                          0.153 s    0.168 s             10 %
1,000, of which 250 with findings        0.605 s    0.653 s             8 %
1,000, all with findings                 0.821 s    0.989 s             21 %
=======================================  =========  ==================  ======

This module does no I/O.
"""

from webhook.yaml.text import Places


def places_in(text: str, start: int, end: int, *, is_json: bool) -> Places:
    """Returns the positions in the document between two offsets."""
    if is_json:
        from webhook.yaml.json_places import JsonPlaces  # noqa: PLC0415 - few runs read JSON

        return JsonPlaces(text, start)
    from webhook.yaml.block_places import BlockPlaces, UnclearError  # noqa: PLC0415 - only documents with findings need it

    base = text.rfind("\n", 0, start) + 1  # only an LF ends the line of a document separator
    try:
        return BlockPlaces(text, base, start, end)
    except UnclearError:
        from webhook.yaml.composed_places import composed_places  # noqa: PLC0415 - imports PyYAML

        return composed_places(text, base, start, end)
